//! Trust policy, C2SP tlog-policy: which logs and witnesses a verifier knows, and which cosignatures make a
//! checkpoint good enough. With a quorum of outside witnesses, the log's own key is not enough to rewrite history.

use std::collections::HashMap;

use crate::checkpoint::Checkpoint;
use crate::error::{LedgerError, Result, at_most};
use crate::key::{KeyKind, VerifierKey};
use crate::note::Note;

/// Longest policy file accepted, in bytes.
pub const MAX_POLICY_BYTES: usize = 1 << 18;

/// Most logs, most witnesses, and most groups accepted in one policy.
pub const MAX_POLICY_ITEMS: usize = 64;

/// A log that the policy accepts.
#[derive(Clone, Debug)]
pub struct PolicyLog {
    /// Its key; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it is found, if the file says so.
    pub url: Option<String>,
}

/// A witness that the policy knows.
#[derive(Clone, Debug)]
pub struct PolicyWitness {
    /// Its name within the policy file.
    pub name: String,
    /// Its cosignature key.
    pub key: VerifierKey,
    /// Its submission prefix, if the file says so.
    pub url: Option<String>,
}

/// A group of witnesses and groups, of which `threshold` must have witnessed.
#[derive(Clone, Debug)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A parsed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
    quorum_name: String,
}

/// A checkpoint that a policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Policy names of the witnesses whose cosignatures verified, with their times in seconds since 1970-01-01 UTC.
    pub witnesses: Vec<(String, u64)>,
}

impl Policy {
    /// A policy that trusts one log without any witness: it detects every change by others, but not a log that
    /// rewrites its own history.
    pub fn log_only(key: VerifierKey) -> Result<Self> {
        Self::parse(format!("log {key}\nquorum none\n").as_bytes())
    }

    /// Reads a policy file. Names are opaque bytes in the format; this reader wants the whole file in UTF-8, so that
    /// it can print them.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        at_most("policy, bytes", bytes.len(), MAX_POLICY_BYTES)?;
        let whole = |reason: &str| LedgerError::Policy {
            line: 0,
            reason: reason.into(),
        };
        let text = core::str::from_utf8(bytes).map_err(|_| whole("the file is not UTF-8"))?;
        // A cut-off file could name a weaker quorum than the one that was written.
        let text = text
            .strip_suffix('\n')
            .ok_or_else(|| whole("the last line does not end in a newline: cut off?"))?;
        let mut reader = Reader::default();
        for (i, line) in text.split('\n').enumerate() {
            reader
                .line(line)
                .map_err(|reason| LedgerError::Policy { line: i + 1, reason })?;
        }
        let (quorum, quorum_name) = reader.quorum.ok_or_else(|| whole("there is no quorum line"))?;
        Ok(Self {
            logs: reader.logs,
            witnesses: reader.witnesses,
            groups: reader.groups,
            quorum,
            quorum_name,
        })
    }

    /// The accepted logs.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The known witnesses, whether the quorum needs them or not.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Reads a signed checkpoint and accepts it only if one of the logs signed it and the quorum cosigned it.
    pub fn check(&self, bytes: &[u8]) -> Result<TrustedCheckpoint> {
        self.check_note(&Note::parse(bytes)?)
    }

    /// As [`Policy::check`], for a note already read.
    pub fn check_note(&self, note: &Note) -> Result<TrustedCheckpoint> {
        let checkpoint: Checkpoint = note.text().parse()?;
        let matching = self
            .logs
            .iter()
            .map(|log| &log.key)
            .filter(|key| key.name() == checkpoint.origin);
        let matching: Vec<VerifierKey> = matching.cloned().collect();
        if matching.is_empty() {
            let known: Vec<&str> = self.logs.iter().map(|log| log.key.name()).collect();
            return Err(LedgerError::NotSigned {
                known: known.join(", "),
            });
        }
        note.verify(&matching)?;
        let keys: Vec<VerifierKey> = self.witnesses.iter().map(|w| w.key.clone()).collect();
        let verified = match note.verify(&keys) {
            Err(LedgerError::NotSigned { .. }) => Vec::new(),
            other => other?,
        };
        let mut times: Vec<Option<u64>> = vec![None; keys.len()];
        for found in verified {
            times[found.key] = times[found.key].max(found.at);
        }
        let named = |(w, at): (&PolicyWitness, &Option<u64>)| at.map(|at| (w.name.clone(), at));
        let witnesses: Vec<(String, u64)> = self.witnesses.iter().zip(&times).filter_map(named).collect();
        if self.quorum.is_some_and(|member| !self.witnessed(member, &times)) {
            let names: Vec<&str> = witnesses.iter().map(|(name, _)| name.as_str()).collect();
            return Err(LedgerError::Quorum {
                quorum: self.quorum_name.clone(),
                cosigned_by: names.join(", "),
            });
        }
        Ok(TrustedCheckpoint {
            checkpoint,
            witnesses,
        })
    }

    /// Groups refer only to groups before them, so this ends; depth is at most [`MAX_POLICY_ITEMS`].
    fn witnessed(&self, member: Member, times: &[Option<u64>]) -> bool {
        match member {
            Member::Witness(i) => times[i].is_some(),
            Member::Group(i) => {
                let group = &self.groups[i];
                group
                    .members
                    .iter()
                    .filter(|m| self.witnessed(**m, times))
                    .count()
                    >= group.threshold
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    names: HashMap<String, Member>,
    grouped: Vec<Member>,
    quorum: Option<(Option<Member>, String)>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f) {
            return Err("a control character; lines end in a bare newline".into());
        }
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else {
            return Ok(());
        };
        if keyword.starts_with('#') {
            return Ok(());
        }
        let words: Vec<&str> = words.collect();
        match (keyword, words.as_slice()) {
            ("log", [key]) => self.log(key, None),
            ("log", [key, url]) => self.log(key, Some(url)),
            ("witness", [name, key]) => self.witness(name, key, None),
            ("witness", [name, key, url]) => self.witness(name, key, Some(url)),
            ("group", [name, threshold, members @ ..]) => self.group(name, threshold, members),
            ("quorum", [name]) => self.quorum(name),
            ("log" | "witness" | "group" | "quorum", _) => {
                Err(format!("wrong number of words after `{keyword}`"))
            }
            _ => Err(format!("`{keyword}` is not log, witness, group or quorum")),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), String> {
        let key = read_key(key, KeyKind::Note)?;
        if self.logs.iter().any(|log| log.key.to_bytes() == key.to_bytes()) {
            return Err("this log key is already listed".into());
        }
        room(self.logs.len())?;
        self.logs.push(PolicyLog {
            key,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), String> {
        let key = read_key(key, KeyKind::Cosignature)?;
        if self.witnesses.iter().any(|w| w.key.to_bytes() == key.to_bytes()) {
            return Err("this witness key is already listed: one witness would count twice".into());
        }
        room(self.witnesses.len())?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness {
            name: name.to_owned(),
            key,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str]) -> Result<(), String> {
        room(self.groups.len())?;
        let mut members = Vec::with_capacity(names.len());
        for member_name in names {
            let member = self.lookup(member_name)?;
            if self.grouped.contains(&member) {
                return Err(format!("{member_name} is already a member: it would count twice"));
            }
            self.grouped.push(member);
            members.push(member);
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => crate::tile::decimal(number)
                .and_then(|k| usize::try_from(k).ok())
                .ok_or("the threshold is not all, any or a number")?,
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(format!("{threshold} of {} members cannot be", members.len()));
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("there is more than one quorum line".into());
        }
        let member = if name == "none" {
            None
        } else {
            Some(self.lookup(name)?)
        };
        self.quorum = Some((member, name.to_owned()));
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), String> {
        if name == "none" || self.names.contains_key(name) {
            return Err(format!("the name {name} is already taken"));
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }

    fn lookup(&self, name: &str) -> Result<Member, String> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| format!("{name} is not defined on a line before this one"))
    }
}

fn room(count: usize) -> Result<(), String> {
    if count < MAX_POLICY_ITEMS {
        Ok(())
    } else {
        Err(format!("more than {MAX_POLICY_ITEMS} of these"))
    }
}

fn read_key(text: &str, kind: KeyKind) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|e: LedgerError| e.to_string())?;
    if key.kind() != kind {
        return Err("the key has the wrong type: a log has 0x01, a witness 0x04".into());
    }
    Ok(key)
}
