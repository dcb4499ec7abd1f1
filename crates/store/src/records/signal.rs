//! The newest of each signal about a line, so that a decision reads one row instead of searching through events.

use super::FromColumns;
use super::recent::RecentTimes;
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "line_signal",
    columns: &[
        "msisdn_idx",
        "attach_at",
        "attach_imei_idx",
        "imei_changed_at",
        "swap_at",
        "port_request_at",
        "forwarding_at",
        "contact_at",
        "password_reset_at",
        "factor_added_at",
        "login_at",
        "login_failed_at",
        "bank_otps",
        "malware_at",
        "caller_failed_at",
    ],
};
pub(crate) const COLUMNS: &str = "msisdn_idx, attach_at, attach_imei_idx, imei_changed_at, swap_at, \
    port_request_at, forwarding_at, contact_at, password_reset_at, factor_added_at, login_at, login_failed_at, \
    bank_otps, malware_at, caller_failed_at";

/// When each kind of thing last happened to a line, by the events that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineSignal {
    /// Last attached to the network.
    pub attach_at: Option<Timestamp>,
    /// In this phone.
    pub attach_imei_idx: Option<BlindIndex>,
    /// Last seen to change its phone.
    pub imei_changed_at: Option<Timestamp>,
    /// Last moved to another SIM, as the network told.
    pub swap_at: Option<Timestamp>,
    /// Last asked to leave for another operator.
    pub port_request_at: Option<Timestamp>,
    /// Forwarding last set.
    pub forwarding_at: Option<Timestamp>,
    /// Contact last changed, as the portal told.
    pub contact_at: Option<Timestamp>,
    /// Password last reset.
    pub password_reset_at: Option<Timestamp>,
    /// Factor last added.
    pub factor_added_at: Option<Timestamp>,
    /// Last signed in.
    pub login_at: Option<Timestamp>,
    /// Last failed to sign in.
    pub login_failed_at: Option<Timestamp>,
    /// The last one-time codes of banks.
    pub bank_otps: RecentTimes,
    /// Malware last found.
    pub malware_at: Option<Timestamp>,
    /// A caller last failed to prove who they are.
    pub caller_failed_at: Option<Timestamp>,
}

impl LineSignal {
    /// Takes the newer of each. Order does not matter, so late and disordered events lead to the same row.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        // Of two at the very same time the larger index stays, so that order does not matter there either.
        let (attach_at, attach_imei_idx) =
            (self.attach_at, self.attach_imei_idx).max((other.attach_at, other.attach_imei_idx));
        Self {
            attach_at,
            attach_imei_idx,
            imei_changed_at: self.imei_changed_at.max(other.imei_changed_at),
            swap_at: self.swap_at.max(other.swap_at),
            port_request_at: self.port_request_at.max(other.port_request_at),
            forwarding_at: self.forwarding_at.max(other.forwarding_at),
            contact_at: self.contact_at.max(other.contact_at),
            password_reset_at: self.password_reset_at.max(other.password_reset_at),
            factor_added_at: self.factor_added_at.max(other.factor_added_at),
            login_at: self.login_at.max(other.login_at),
            login_failed_at: self.login_failed_at.max(other.login_failed_at),
            bank_otps: self.bank_otps.merged(other.bank_otps),
            malware_at: self.malware_at.max(other.malware_at),
            caller_failed_at: self.caller_failed_at.max(other.caller_failed_at),
        }
    }

    fn args(&self, msisdn: BlindIndex) -> Vec<Arg> {
        vec![
            msisdn.into(),
            self.attach_at.into(),
            self.attach_imei_idx.into(),
            self.imei_changed_at.into(),
            self.swap_at.into(),
            self.port_request_at.into(),
            self.forwarding_at.into(),
            self.contact_at.into(),
            self.password_reset_at.into(),
            self.factor_added_at.into(),
            self.login_at.into(),
            self.login_failed_at.into(),
            self.bank_otps.arg(),
            self.malware_at.into(),
            self.caller_failed_at.into(),
        ]
    }
}

struct Keyed(BlindIndex, LineSignal);

impl FromColumns for Keyed {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self(
            BlindIndex::from_bytes(c.bytes()?),
            LineSignal {
                attach_at: c.opt_time()?,
                attach_imei_idx: c.opt_index()?,
                imei_changed_at: c.opt_time()?,
                swap_at: c.opt_time()?,
                port_request_at: c.opt_time()?,
                forwarding_at: c.opt_time()?,
                contact_at: c.opt_time()?,
                password_reset_at: c.opt_time()?,
                factor_added_at: c.opt_time()?,
                login_at: c.opt_time()?,
                login_failed_at: c.opt_time()?,
                bank_otps: RecentTimes::from_column(c.opt_blob()?)?,
                malware_at: c.opt_time()?,
                caller_failed_at: c.opt_time()?,
            },
        ))
    }
}

impl Tx {
    /// The signals of these lines.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn signals(
        &mut self,
        lines: &[BlindIndex],
    ) -> Result<Vec<(BlindIndex, LineSignal)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM line_signal WHERE msisdn_idx IN (KEYS)");
        let rows = self
            .fetch_in(&sql, lines.iter().map(|i| (*i).into()).collect())
            .await?;
        Ok(super::read_all::<Keyed>(&rows)?
            .into_iter()
            .map(|Keyed(index, signal)| (index, signal))
            .collect())
    }

    /// Takes in what a batch of events said; what is stored and newer stays. A line may stand in it more than once.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn merge_signals(&mut self, news: Vec<(BlindIndex, LineSignal)>) -> Result<(), StoreError> {
        let mut merged = std::collections::BTreeMap::<BlindIndex, LineSignal>::new();
        for (line, signal) in news {
            let entry = merged.entry(line).or_default();
            *entry = entry.merged(signal);
        }
        let keys: Vec<BlindIndex> = merged.keys().copied().collect();
        for (line, stored) in self.signals(&keys).await? {
            let entry = merged.entry(line).or_default();
            *entry = entry.merged(stored);
        }
        let rows = merged
            .into_iter()
            .map(|(line, signal)| signal.args(line))
            .collect();
        let sets: Vec<String> = TABLE.columns[1..]
            .iter()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let tail = format!(" ON CONFLICT (msisdn_idx) DO UPDATE SET {}", sets.join(", "));
        self.insert(&TABLE, rows, &tail).await.map(drop)
    }
}
