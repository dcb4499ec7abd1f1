//! Takes unprotected profile packages into the stock: read, linted, sealed, prepared for their download.

use super::rows::{iccid_index, new_order, package_write, prepared_write};
use super::world::{SmdpNeeds, SmdpWrite};
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, App, Error, ErrorKind, OsEntropy};
use simwarden_model::Role;
use simwarden_rsp::metadata::{Metadata, ProfileClass};
use simwarden_rsp::profile::{Finding, ProfilePackage, Use, lint, remote_key_digests};
use simwarden_rsp::{Order, OrderRef, Prepared};
use simwarden_store::records::smdp_package::PackageKind;
use simwarden_store::{BlindIndex, Indexed};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is said of profiles that are imported together.
#[derive(Debug, Clone)]
pub struct ProfileTerms {
    /// Whose they are, MCC-MNC.
    pub operator: String,
    /// Their type, as orders name it.
    pub profile_type: String,
    /// Who provides them, as the person at the phone reads it; at most 32 bytes.
    pub provider: String,
    /// Their name, as the person at the phone reads it; at most 64 bytes.
    pub name: String,
    /// The host name of this SM-DP+: whom the chip notifies.
    pub address: String,
    /// For a laboratory: public keys and test networks are allowed, and the phone is told that it is a test profile.
    pub test: bool,
}

/// What became of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileOutcome {
    /// In stock. The warnings stand beside it.
    Imported {
        /// The profile's number, its middle hidden.
        iccid: String,
        /// What is not as it should be, in words.
        warnings: Vec<String>,
    },
    /// Not taken, in words.
    Refused(Vec<String>),
}

impl App {
    /// Takes one unprotected profile package (DER) into the stock.
    ///
    /// # Errors
    /// When nothing can be written, or the actor is not the installation itself.
    pub async fn import_profile(
        &self,
        actor: &Actor,
        package: &[u8],
        terms: &ProfileTerms,
    ) -> Result<ProfileOutcome, Error> {
        if actor.role != Role::System {
            return Err(Error::forbidden(
                "profiles are imported at the installation itself",
            ));
        }
        let refused = |why: String| Ok(ProfileOutcome::Refused(vec![why]));
        let read = match ProfilePackage::parse(package) {
            Ok(read) => read,
            Err(error) => return refused(error.to_string()),
        };
        let (class, used_for) = if terms.test {
            (ProfileClass::Test, Use::Test)
        } else {
            (ProfileClass::Operational, Use::Live)
        };
        let (keys, seen) = self.remote_keys(&read).await?;
        let findings = lint(&read, class, used_for, &seen);
        // Test profiles share their published keys among themselves; a laboratory takes that with a warning.
        let refuses = |finding: &Finding| finding.refuses && !terms.test;
        let words = |refused: bool| -> Vec<String> {
            let those = findings.iter().filter(|finding| refuses(finding) == refused);
            those.map(|finding| finding.kind.message().to_owned()).collect()
        };
        if findings.iter().any(refuses) {
            return Ok(ProfileOutcome::Refused(words(true)));
        }
        let mut metadata = Metadata::new(*read.iccid(), &terms.provider, &terms.name, &terms.address);
        metadata.class = class;
        let metadata = match metadata.to_der() {
            Ok(metadata) => metadata,
            Err(error) => return refused(error.to_string()),
        };
        let mut entropy = OsEntropy::new().map_err(Error::internal)?;
        let mut order = Order::in_stock(
            OrderRef::draw(&mut entropy),
            *read.iccid(),
            terms.profile_type.clone(),
            terms.operator.clone(),
            metadata,
        );
        order.nvm_bytes_min = u32::try_from(package.len()).unwrap_or(u32::MAX);
        let job = ImportProfile {
            shared: self.shared(),
            order,
            prepared: Prepared::make(package, &mut entropy),
            package: Zeroizing::new(package.to_vec()),
            keys,
        };
        match self.commit(job).await {
            Ok(()) => Ok(ProfileOutcome::Imported {
                iccid: read.iccid().to_string(),
                warnings: words(false),
            }),
            Err(error) if error.kind == ErrorKind::Conflict => refused(error.message),
            Err(error) => Err(error),
        }
    }

    /// The remote-management keys of a package as keyed indexes, and those that another profile has already.
    async fn remote_keys(
        &self,
        package: &ProfilePackage<'_>,
    ) -> Result<(Vec<BlindIndex>, std::collections::HashSet<[u8; 32]>), Error> {
        let index = |digest: &[u8; 32]| self.keyring().index(Indexed::RemoteKey, digest);
        let digests = remote_key_digests(package);
        let keys: Vec<BlindIndex> = digests.iter().map(index).collect();
        let known = self.store().smdp_remote_keys(&keys).await?;
        let seen = digests
            .into_iter()
            .filter(|digest| known.contains(&index(digest)));
        Ok((keys, seen.collect()))
    }
}

struct ImportProfile {
    shared: Arc<Shared>,
    order: Order,
    package: Zeroizing<Vec<u8>>,
    prepared: Prepared,
    keys: Vec<BlindIndex>,
}

impl Job for ImportProfile {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            smdp: SmdpNeeds {
                iccids: vec![iccid_index(&self.shared.keyring, &self.order.iccid)],
                ..SmdpNeeds::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let keyring = &self.shared.keyring;
        if world
            .smdp
            .by_iccid(&iccid_index(keyring, &self.order.iccid))
            .is_some()
        {
            return Err(Error::new(
                ErrorKind::Conflict,
                "iccid_known",
                "a profile of this ICCID is there already; each is imported once",
            ));
        }
        let id = self.order.reference.0;
        draft.begin_entry("smdp.profile_imported", Role::System, None);
        let entry = draft.entry();
        entry.operator = Some(self.order.owner.clone());
        entry.detail = serde_json::json!({ "order": hex(&id), "type": self.order.profile_type });
        let row = new_order(keyring, &self.order, None, draft.now, draft.entropy)?;
        draft.smdp(SmdpWrite::Insert(row));
        let profile = package_write(keyring, PackageKind::Profile, id, &self.package, draft.entropy);
        draft.smdp(profile);
        let prepared = prepared_write(keyring, id, &self.prepared, draft.entropy);
        draft.smdp(prepared);
        draft.smdp(SmdpWrite::RemoteKeys(self.keys.clone(), id));
        draft.end_entry()?;
        Ok(())
    }
}
