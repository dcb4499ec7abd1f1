//! Guesses are charged before they are evaluated, in the writing transaction: a thousand at once are not one.

use super::marks::Whereabouts;
use super::world::{AccountNeeds, AccountWrite};
use crate::app::App;
use crate::committer::Job;
use crate::draft::Draft;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use simwarden_identity::throttle::{Scope, Tally, gate, scopes};
use simwarden_model::Timestamp;
use simwarden_store::records::guess::GuessRow;
use simwarden_store::{BlindIndex, Indexed};
use std::collections::HashMap;

/// A guess that may be evaluated, and what it was charged to.
#[derive(Debug, Clone)]
pub(crate) struct Charged {
    keys: Vec<(Scope, BlindIndex)>,
    pub known_device: bool,
}

/// The next guess has to wait. How long, and why, the guesser is not told.
pub(crate) fn slow_down() -> Error {
    Error::new(
        ErrorKind::TooMany,
        "slow_down",
        "too many tries: wait a while, or use a passkey, which never waits",
    )
}

fn counts(keys: &[(Scope, BlindIndex)], tallies: &HashMap<BlindIndex, Tally>) -> Vec<(Scope, Tally)> {
    keys.iter()
        .map(|(scope, key)| (*scope, tallies.get(key).copied().unwrap_or_default()))
        .collect()
}

impl App {
    /// Charges a guess at this login.
    ///
    /// # Errors
    /// `slow_down` when it has to wait: then nothing is charged and nothing may be evaluated.
    pub(crate) async fn charge_guess(
        &self,
        login: BlindIndex,
        device: Option<BlindIndex>,
        known_device: bool,
        from: &Whereabouts,
    ) -> Result<Charged, Error> {
        let hex = |index: BlindIndex| crate::entry::hex(index.as_bytes());
        let keyed = |scope: Scope, what: String| {
            let text = format!("guess:{}:{what}", scope.as_str());
            self.keyring().index(Indexed::Whereabouts, text.as_bytes())
        };
        let keys: Vec<(Scope, BlindIndex)> = scopes(known_device)
            .iter()
            .filter_map(|scope| {
                let what = match scope {
                    Scope::Account => hex(login),
                    Scope::AccountDevice => format!("{}:{}", hex(login), hex(device?)),
                    Scope::Address => hex(from.address_mark(self.keyring())),
                    Scope::Network => hex(from.network_mark(self.keyring())),
                    Scope::Device => hex(device?),
                };
                Some((*scope, keyed(*scope, what)))
            })
            .collect();
        // Most guesses of a flood wait: those are turned away without the writing transaction.
        let indexes: Vec<BlindIndex> = keys.iter().map(|(_, key)| *key).collect();
        let read = self.store().guesses(&indexes).await?;
        gate(self.now(), &counts(&keys, &tallies(read))).map_err(|_| slow_down())?;
        let charged = Charged { keys, known_device };
        self.commit(Charge {
            charged: charged.clone(),
            back: false,
        })
        .await?;
        Ok(charged)
    }

    /// Takes the charge of a right guess back.
    pub(crate) async fn refund(&self, charged: &Charged) -> Result<(), Error> {
        self.commit(Charge {
            charged: charged.clone(),
            back: true,
        })
        .await
    }
}

/// Rows as counts.
pub(crate) fn tallies(rows: Vec<GuessRow>) -> HashMap<BlindIndex, Tally> {
    rows.into_iter()
        .map(|row| {
            let tally = Tally {
                guesses: u32::try_from(row.guesses).unwrap_or(u32::MAX),
                last_at: row.last_at,
            };
            (row.key, tally)
        })
        .collect()
}

struct Charge {
    charged: Charged,
    back: bool,
}

impl Job for Charge {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            accounts: AccountNeeds {
                guesses: self.charged.keys.iter().map(|(_, key)| *key).collect(),
                ..AccountNeeds::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let now: Timestamp = draft.now;
        let counts = counts(&self.charged.keys, &world.accounts.guesses);
        if !self.back {
            gate(now, &counts).map_err(|_| slow_down())?;
        }
        let rows = self
            .charged
            .keys
            .iter()
            .zip(counts)
            .map(|((_, key), (_, tally))| {
                let tally = if self.back {
                    tally.refunded()
                } else {
                    tally.charged(now)
                };
                GuessRow {
                    key: *key,
                    guesses: i64::from(tally.guesses),
                    last_at: tally.last_at,
                }
            })
            .collect();
        draft.account(AccountWrite::Guesses(rows));
        Ok(())
    }
}
