//! Takes over download orders: JSON Lines, one order a line, in any state. For a migration from another SM-DP+, and for
//! tests.

use super::rows::{changed_order, iccid_index, matching_index, open_order};
use super::world::{SmdpNeeds, SmdpWrite};
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, App, Error};
use serde::Deserialize;
use simwarden_model::{Eid, Iccid, OperationId, ProfileState, Role, Timestamp};
use simwarden_rsp::order::Matching;
use simwarden_rsp::{CONFIRMATION_CODE_CHARS_MAX, ConfirmationDigest, MatchingId, Order};
use simwarden_store::records::smdp_order::SmdpOrder;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The most lines of a file.
pub const LINES_MAX: usize = 1_000_000;
/// The fewest characters of a matching id that leads any chip to a profile. Those that are drawn here have 20.
const OPEN_MATCHING_ID_CHARS_MIN: usize = 4;
/// Orders in one transaction: one entry names them all.
const CHUNK: usize = 256;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderProblem {
    /// Which, from 1.
    pub line: usize,
    /// What, and what to do.
    pub message: String,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderReport {
    /// Orders that were written.
    pub imported: usize,
    /// Lines that could not be taken. When the file does not read, nothing was written; when a line contradicts what is
    /// stored, none of its chunk of 256 was.
    pub problems: Vec<OrderProblem>,
}

/// A line as it stands in the file; also with the names that ES2+ has for these fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    iccid: Option<String>,
    #[serde(alias = "profileType")]
    profile_type: Option<String>,
    #[serde(alias = "matchingId")]
    matching_id: Option<String>,
    eid: Option<String>,
    #[serde(alias = "confirmationCode")]
    confirmation_code: Option<Zeroizing<String>>,
    state: Option<String>,
    #[serde(alias = "expiresAt", alias = "expiry")]
    expires_at: Option<String>,
    attempts: Option<u32>,
    code_tries: Option<u8>,
    operation_id: Option<OperationId>,
}

/// A line, parsed.
#[derive(Clone)]
struct Wanted {
    line: usize,
    iccid: Option<Iccid>,
    profile_type: Option<String>,
    matching: Matching,
    eid: Option<Eid>,
    confirmation: Option<ConfirmationDigest>,
    state: ProfileState,
    expires_at: Option<Timestamp>,
    attempts: u32,
    code_tries: u8,
    operation: Option<OperationId>,
}

fn parse(line: usize, text: &str) -> Result<Wanted, String> {
    // What the parser says may repeat a value, and that may be a code.
    let read: Line = serde_json::from_str(text).map_err(|error| {
        format!(
            "it is no order (column {}); fields are iccid, profile_type, matching_id, eid, confirmation_code, state, \
             expires_at, attempts, code_tries, operation_id",
            error.column()
        )
    })?;
    let iccid = read
        .iccid
        .map(|text| Iccid::parse_vouched(&text).map(|it| it.0))
        .transpose();
    let eid = read
        .eid
        .map(|text| Eid::parse_vouched(&text).map(|it| it.0))
        .transpose();
    let matching = match read.matching_id.as_deref() {
        None => Matching::Unset,
        Some("") => Matching::DefaultForEid,
        Some(text) => Matching::Id(MatchingId::parse(text).map_err(|error| error.to_string())?),
    };
    let state = match read.state {
        None => ProfileState::Released,
        Some(text) => text
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| "the state is none of SGP.22's".to_owned())?,
    };
    let expires_at = read.expires_at.map(|text| text.parse()).transpose();
    let code = read.confirmation_code.filter(|code| !code.is_empty());
    if code
        .as_ref()
        .is_some_and(|code| code.len() > CONFIRMATION_CODE_CHARS_MAX)
    {
        return Err("the confirmation code is too long".to_owned());
    }
    let wanted = Wanted {
        line,
        iccid: iccid.map_err(|_| "the ICCID is none".to_owned())?,
        profile_type: read.profile_type,
        matching,
        eid: eid.map_err(|_| "the EID is none: 32 digits".to_owned())?,
        confirmation: code.map(|code| ConfirmationDigest::of(&code)),
        state,
        expires_at: expires_at.map_err(|_| "expires_at is no time like 2026-11-23T12:00:00Z".to_owned())?,
        attempts: read.attempts.unwrap_or(0),
        code_tries: read.code_tries.unwrap_or(0),
        operation: read.operation_id,
    };
    if wanted.iccid.is_none() && wanted.profile_type.is_none() {
        return Err("name the profile by iccid, or any free one by profile_type".to_owned());
    }
    if let Matching::Id(id) = &wanted.matching
        && id.reveal().len() < OPEN_MATCHING_ID_CHARS_MIN
        && wanted.eid.is_none()
        && !wanted.state.is_on_chip()
        && !wanted.state.is_terminal()
    {
        return Err(format!(
            "a matching_id of fewer than {OPEN_MATCHING_ID_CHARS_MIN} characters is guessed: give a longer one, or the eid"
        ));
    }
    if wanted.matching == Matching::DefaultForEid && wanted.eid.is_none() {
        return Err("a default order (an empty matching_id) names its eid".to_owned());
    }
    Ok(wanted)
}

impl App {
    /// Takes over orders for profiles that were imported before: JSON Lines. An order that is there is written over,
    /// unless a chip was sent its profile already.
    ///
    /// # Errors
    /// When nothing can be written, or the actor is not the installation itself. What is wrong with lines stands in the
    /// report.
    pub async fn import_orders(&self, actor: &Actor, text: &str) -> Result<OrderReport, Error> {
        if actor.role != Role::System {
            return Err(Error::forbidden("orders are imported at the installation itself"));
        }
        let mut report = OrderReport::default();
        let mut wanted = Vec::new();
        let mut iccids: HashSet<String> = HashSet::new();
        for (at, line) in text.lines().enumerate() {
            if at >= LINES_MAX {
                return Err(Error::invalid("too_long", "give at most 1,000,000 lines at once"));
            }
            if line.trim().is_empty() {
                continue;
            }
            let parsed = parse(at + 1, line).and_then(|it| {
                let twice = it.iccid.is_some_and(|it| !iccids.insert(it.reveal().to_owned()));
                if twice {
                    Err("this ICCID stands in the file twice".to_owned())
                } else {
                    Ok(it)
                }
            });
            match parsed {
                Ok(it) => wanted.push(it),
                Err(message) => report.problems.push(OrderProblem {
                    line: at + 1,
                    message,
                }),
            }
        }
        if !report.problems.is_empty() {
            return Ok(report);
        }
        for chunk in wanted.chunks(CHUNK) {
            let job = ImportOrders {
                shared: self.shared(),
                wanted: chunk.to_vec(),
            };
            match self.commit(job).await? {
                Ok(count) => report.imported += count,
                Err(problem) => report.problems.push(problem),
            }
        }
        Ok(report)
    }
}

struct ImportOrders {
    shared: Arc<Shared>,
    wanted: Vec<Wanted>,
}

impl ImportOrders {
    /// The profile that a line means; a free one is taken out of `stock`.
    fn profile(
        &self,
        wanted: &Wanted,
        world: &World,
        stock: &mut HashMap<String, Vec<SmdpOrder>>,
        taken: &HashSet<[u8; 16]>,
    ) -> Result<SmdpOrder, String> {
        let row = match (&wanted.iccid, &wanted.profile_type) {
            (Some(iccid), _) => world
                .smdp
                .by_iccid(&iccid_index(&self.shared.keyring, iccid))
                .cloned()
                .ok_or("no profile of this ICCID was imported; run `simwarden profile import` first")?,
            (None, Some(profile_type)) => stock
                .get_mut(profile_type)
                .and_then(|free| {
                    free.retain(|row| !taken.contains(&row.id));
                    free.pop()
                })
                .ok_or("no profile of this type is free")?,
            (None, None) => return Err("name the profile".to_owned()),
        };
        if taken.contains(&row.id) {
            return Err("another line has this profile already".to_owned());
        }
        Ok(row)
    }

    fn check_matching(&self, wanted: &Wanted, row: &SmdpOrder, world: &World) -> Result<(), String> {
        if let Matching::Id(id) = &wanted.matching {
            let index = matching_index(&self.shared.keyring, id);
            if world
                .smdp
                .by_matching(&index)
                .is_some_and(|other| other.id != row.id)
            {
                return Err("this matching id stands for another profile".to_owned());
            }
        }
        Ok(())
    }
}

fn fill(order: &mut Order, wanted: &Wanted) -> Result<(), String> {
    if order.binding.is_some() || order.state == ProfileState::Installed {
        return Err("a chip was sent this profile already; it cannot be ordered anew".to_owned());
    }
    if let Some(profile_type) = &wanted.profile_type {
        order.profile_type.clone_from(profile_type);
    }
    order.state = wanted.state;
    order.eid = wanted.eid;
    order.matching = wanted.matching.clone();
    order.confirmation.clone_from(&wanted.confirmation);
    order.expires_at = wanted.expires_at;
    order.attempts = wanted.attempts;
    order.code_tries = wanted.code_tries;
    Ok(())
}

impl Job for ImportOrders {
    type Answer = Result<usize, OrderProblem>;

    fn needs(&self) -> Needs {
        let keyring = &self.shared.keyring;
        let mut smdp = SmdpNeeds::default();
        let mut types: HashMap<&String, u32> = HashMap::new();
        for wanted in &self.wanted {
            smdp.iccids
                .extend(wanted.iccid.as_ref().map(|iccid| iccid_index(keyring, iccid)));
            if let Matching::Id(id) = &wanted.matching {
                smdp.matching.push(matching_index(keyring, id));
            }
            if let (None, Some(profile_type)) = (&wanted.iccid, &wanted.profile_type) {
                *types.entry(profile_type).or_default() += 1;
            }
        }
        let chunk = u32::try_from(CHUNK).unwrap_or(u32::MAX);
        smdp.stock = types
            .into_iter()
            .map(|(name, count)| (name.clone(), count + chunk))
            .collect();
        Needs {
            smdp,
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let keyring = &self.shared.keyring;
        let mut stock = world.smdp.stock.clone();
        stock.values_mut().for_each(|free| free.reverse());
        let mut taken = HashSet::new();
        let mut matching = HashSet::new();
        let mut changed = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let problem = |message: String| OrderProblem {
                line: wanted.line,
                message,
            };
            let row = match self.profile(wanted, world, &mut stock, &taken) {
                Ok(row) => row,
                Err(message) => return Ok(Err(problem(message))),
            };
            if let Err(message) = self.check_matching(wanted, &row, world) {
                return Ok(Err(problem(message)));
            }
            if let Matching::Id(id) = &wanted.matching
                && !matching.insert(id.clone())
            {
                return Ok(Err(problem(
                    "this matching id stands in the file twice".to_owned(),
                )));
            }
            let mut order = open_order(keyring, &row)?;
            if let Err(message) = fill(&mut order, wanted) {
                return Ok(Err(problem(message)));
            }
            taken.insert(row.id);
            let before = SmdpOrder {
                operation_id: wanted.operation,
                ..row
            };
            changed.push(changed_order(keyring, &before, &order, draft.entropy)?);
        }
        draft.begin_entry("smdp.orders_imported", Role::System, None);
        let orders: Vec<String> = changed.iter().take(1).map(|row| hex(&row.id)).collect();
        draft.entry().detail = serde_json::json!({ "orders": changed.len(), "first": orders });
        for row in changed {
            draft.smdp(SmdpWrite::Update(row));
        }
        draft.end_entry()?;
        Ok(Ok(self.wanted.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_line_says_which_profile_and_nothing_unknown() {
        let good = r#"{"iccid":"8949449999999990155","matching_id":"A-12","eid":null,"state":"Released"}"#;
        assert!(parse(1, good).is_ok());
        for short in [
            r#"{"profile_type":"x","matching_id":"A","eid":"89049032123451234512345678901235"}"#,
            r#"{"profile_type":"x","matching_id":"A","state":"installed","expires_at":"2026-01-01T00:00:00Z"}"#,
        ] {
            let dead_or_bound = short.replace("installed", "error");
            assert!(parse(1, &dead_or_bound).is_ok(), "{short}");
        }
        for (bad, word) in [
            (r#"{"matching_id":"A"}"#, "name the profile"),
            (r#"{"profile_type":"x","matching_id":""}"#, "names its eid"),
            (r#"{"profile_type":"x","eidd":"1"}"#, "fields are"),
            (
                r#"{"profile_type":"x","confirmation_code":1234}"#,
                "it is no order",
            ),
            (r#"{"profile_type":"x","eid":"12"}"#, "EID"),
            (r#"{"profile_type":"x","state":"lost"}"#, "state"),
            (r#"{"profile_type":"x","expires_at":"soon"}"#, "expires_at"),
            (r#"{"profile_type":"x","matching_id":"../x"}"#, "matching id"),
            (r#"{"profile_type":"x","matching_id":"A-1"}"#, "is guessed"),
        ] {
            let said = parse(1, bad).err().unwrap_or_default();
            assert!(said.contains(word), "{bad}: {said}");
            assert!(!said.contains("1234"), "a code is not repeated");
        }
    }
}
