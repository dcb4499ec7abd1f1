//! New rows out of the cells of an inventory: identifiers, keys, sealed parts, and the digests for the ledger.
//!
//! Identifiers grow, so that the tables are appended to. They and the keys of the persons come from a secret that is
//! drawn for the run and forgotten with it, and from a number each: a person or line that stood in the file before is
//! known again by four bytes.

use super::chunks::Chunks;
use super::row::{LineRow, Row};
use crate::Error;
use crate::chance::OsEntropy;
use crate::secrets::{LineSecret, Of, PartySecret, ProfileSecret, seal, seal_common};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use simwarden_model::{
    Entropy as _, Id, ImportId, LineKind, PartyClass, PartyId, PartyKind, ProfileId, SubscriptionId,
    SubscriptionState, Timestamp,
};
use simwarden_store::records::Kept as _;
use simwarden_store::records::import::{FreshRows, ImportChunk};
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Keyring, SubjectKey};

/// Makes the new rows of one run.
pub(super) struct Maker {
    pub import: ImportId,
    pub operator: String,
    pub now: Timestamp,
    keyring: Keyring,
    pub entropy: OsEntropy,
    secret: Hmac<Sha256>,
    parties: u32,
    lines: u32,
    profiles: u32,
    party_chunks: Chunks,
    line_chunks: Chunks,
    profile_chunks: Chunks,
}

/// What a run added.
pub(super) struct Made {
    pub parties: u64,
    pub lines: u64,
    pub profiles: u64,
    /// In the order of (kind, n).
    pub chunks: Vec<ImportChunk>,
}

impl Maker {
    pub(super) fn new(
        keyring: Keyring,
        import: ImportId,
        operator: String,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut entropy = OsEntropy::new().map_err(Error::internal)?;
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        Ok(Self {
            import,
            operator,
            now,
            keyring,
            entropy,
            secret: <Hmac<Sha256>>::new_from_slice(&secret).expect("HMAC takes keys of any length"),
            parties: 0,
            lines: 0,
            profiles: 0,
            party_chunks: Chunks::new(import, Party::KIND),
            line_chunks: Chunks::new(import, Subscription::KIND),
            profile_chunks: Chunks::new(import, Profile::KIND),
        })
    }

    fn derive(&self, purpose: u8, n: u32) -> [u8; 32] {
        let mut mac = self.secret.clone();
        mac.update(&[purpose]);
        mac.update(&n.to_be_bytes());
        mac.finalize().into_bytes().into()
    }

    /// An identifier that is greater than the one of `n - 1`: the number stands where RFC 9562 (6.2, method 1) puts a
    /// counter, behind the time; 48 bits cannot be guessed.
    fn id<K>(&self, purpose: u8, n: u32) -> Id<K> {
        let [a, b, c, d] = n.to_be_bytes();
        let mut random = [0; 10];
        // 12 bits in front of the variant and 14 behind it: 2^26 rows.
        let counter = u32::from_be_bytes([a, b, c, d]);
        let high = (counter >> 14) & 0xFFF;
        let low = counter & 0x3FFF;
        random[0] = high.to_be_bytes()[2];
        random[1] = high.to_be_bytes()[3];
        random[2] = low.to_be_bytes()[2];
        random[3] = low.to_be_bytes()[3];
        random[4..].copy_from_slice(&self.derive(purpose, n)[..6]);
        Id::new(self.now, random)
    }

    /// The identifier of the party with this number.
    pub(super) fn party_id(&self, n: u32) -> PartyId {
        self.id(1, n)
    }

    /// The identifier of the line with this number.
    pub(super) fn line_id(&self, n: u32) -> SubscriptionId {
        self.id(2, n)
    }

    /// The key of the party with this number.
    pub(super) fn key(&self, n: u32) -> SubjectKey {
        SubjectKey::from_bytes(self.derive(4, n))
    }

    /// A new party; answers its number and key too.
    pub(super) fn party(
        &mut self,
        row: &LineRow,
        out: &mut FreshRows,
    ) -> Result<(u32, Party, SubjectKey), Error> {
        let n = self.parties;
        self.parties += 1;
        let id = self.party_id(n);
        let key = self.key(n);
        let secret = PartySecret {
            name: row.name.clone().unwrap_or_default(),
            document_country: row.document.map(|d| d.value.country().to_owned()),
            document_kind: row.document.map(|d| d.value.kind().as_str().to_owned()),
            document_number: row.document.map(|d| d.value.reveal_number().to_owned()),
        };
        let party = Party {
            id,
            operator: self.operator.clone(),
            kind: row.party_kind.unwrap_or(PartyKind::Person),
            class: row.class.unwrap_or(PartyClass::Ordinary),
            doc_idx: row.document.map(|d| d.index),
            sealed: Some(seal(&key, Of::Party, id.as_bytes(), &secret, &mut self.entropy)?),
            flagged: false,
            created_at: self.now,
            version: 1,
            import_id: Some(self.import),
        };
        let wrapped = SubjectKeyRow {
            party_id: id,
            wrapped: Some(
                self.keyring
                    .wrap_subject_key(id.as_bytes(), &key, &mut self.entropy),
            ),
            retain_until: None,
            destroyed_at: None,
        };
        let origin = out.party(&party, &wrapped);
        self.party_chunks.add(id.as_bytes(), &origin);
        Ok((n, party, key))
    }

    /// A new line of a party; answers its number.
    pub(super) fn line(
        &mut self,
        row: &LineRow,
        party: PartyId,
        key: &SubjectKey,
        out: &mut FreshRows,
    ) -> Result<(u32, Subscription), Error> {
        let n = self.lines;
        self.lines += 1;
        let id = self.line_id(n);
        let secret = LineSecret {
            msisdn: row.msisdn.value.reveal().to_owned(),
            contact_phone: row.contact_phone.map(|number| number.reveal().to_owned()),
            contact_email: row.contact_email.clone(),
            old_contact: None,
            language: row.language.clone(),
            forward_to: None,
        };
        let line = Subscription {
            msisdn_idx: Some(row.msisdn.index),
            kind: row.kind.unwrap_or(LineKind::Prepaid),
            state: row.state.unwrap_or(SubscriptionState::Active),
            sealed: Some(seal(key, Of::Line, id.as_bytes(), &secret, &mut self.entropy)?),
            import_id: Some(self.import),
            ..Subscription::fresh(
                id,
                self.operator.clone(),
                party,
                row.activated_at.unwrap_or(self.now),
            )
        };
        let origin = out.subscription(&line);
        self.line_chunks.add(id.as_bytes(), &origin);
        Ok((n, line))
    }

    /// Seals the numbers of a profile: under the key of its line's owner, or the common one while in stock.
    pub(super) fn seal_profile(
        &mut self,
        id: ProfileId,
        secret: &ProfileSecret,
        key: Option<&SubjectKey>,
    ) -> Result<Vec<u8>, Error> {
        match key {
            Some(key) => seal(key, Of::Profile, id.as_bytes(), secret, &mut self.entropy),
            None => seal_common(
                &self.keyring,
                Of::Profile,
                id.as_bytes(),
                secret,
                &mut self.entropy,
            ),
        }
    }

    /// A new profile: of a line, or in stock.
    pub(super) fn profile(
        &mut self,
        row: &Row,
        line: Option<(SubscriptionId, &SubjectKey)>,
        out: &mut FreshRows,
    ) -> Result<Profile, Error> {
        let n = self.profiles;
        self.profiles += 1;
        let id: ProfileId = self.id(3, n);
        let secret = ProfileSecret {
            iccid: row.iccid.value.reveal().to_owned(),
            imsi: row.imsi.map(|it| it.value.reveal().to_owned()),
            eid: row.eid.map(|it| it.value.reveal().to_owned()),
            imei: row.imei.map(|it| it.value.reveal().to_owned()),
        };
        let state = row.first_state();
        let profile = Profile {
            id,
            operator: self.operator.clone(),
            subscription_id: line.map(|(id, _)| id),
            iccid_idx: row.iccid.index,
            imsi_idx: row.imsi.map(|it| it.index),
            eid_idx: row.eid.map(|it| it.index),
            imei_idx: row.imei.map(|it| it.index),
            state,
            live: line.is_some() && state.is_live(),
            sealed: Some(self.seal_profile(id, &secret, line.map(|(_, key)| key))?),
            created_at: self.now,
            version: 1,
            import_id: Some(self.import),
        };
        let origin = out.profile(&profile);
        self.profile_chunks.add(id.as_bytes(), &origin);
        Ok(profile)
    }

    /// What was made.
    pub(super) fn finish(self) -> Made {
        let (parties, lines, profiles) = (
            self.party_chunks.total(),
            self.line_chunks.total(),
            self.profile_chunks.total(),
        );
        let mut chunks = self.party_chunks.finish();
        chunks.extend(self.profile_chunks.finish());
        chunks.extend(self.line_chunks.finish());
        Made {
            parties,
            lines,
            profiles,
            chunks,
        }
    }
}
