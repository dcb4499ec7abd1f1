//! A row, parsed: checked identifiers with their blind indexes, or the reason why it is none.

use super::cells::Cells;
use super::column::Column;
use super::gates::OwnNetworks;
use super::problem::Reason;
use simwarden_model::{
    DocumentKey, DocumentKind, Eid, Iccid, Imei, Imsi, LineKind, Msisdn, PartyClass, PartyKind, Plmn,
    ProfileState, Region, SubscriptionState, Timestamp,
};
use simwarden_store::{BlindIndex, Indexed, Keyring};
use std::str::FromStr;
use std::time::Duration;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The longest mail address, in bytes (RFC 5321, 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 254;
/// How far the operator's clock may be ahead of ours.
const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);

/// An identifier with the index that it is found by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed<T> {
    pub value: T,
    pub index: BlindIndex,
}

/// A row of an inventory.
#[derive(Debug)]
pub(super) struct Row {
    pub iccid: Keyed<Iccid>,
    pub imsi: Option<Keyed<Imsi>>,
    pub eid: Option<Keyed<Eid>>,
    pub imei: Option<Keyed<Imei>>,
    pub profile_state: Option<ProfileState>,
    pub line: Option<LineRow>,
    /// Whether an expected cell is empty.
    pub incomplete: bool,
}

/// The cells of a line and its owner.
#[derive(Debug)]
pub(super) struct LineRow {
    pub msisdn: Keyed<Msisdn>,
    pub state: Option<SubscriptionState>,
    pub kind: Option<LineKind>,
    pub party_kind: Option<PartyKind>,
    pub class: Option<PartyClass>,
    pub name: Option<String>,
    pub document: Option<Keyed<DocumentKey>>,
    pub contact_phone: Option<Msisdn>,
    pub contact_email: Option<String>,
    pub language: Option<String>,
    pub activated_at: Option<Timestamp>,
}

impl Row {
    /// The state of the profile when it is new.
    pub(super) fn first_state(&self) -> ProfileState {
        self.profile_state.unwrap_or(if self.line.is_some() {
            ProfileState::Enabled
        } else {
            ProfileState::Available
        })
    }
}

/// What rows are read against.
pub(super) struct RowReader {
    pub keyring: Keyring,
    pub operator: Plmn,
    pub networks: OwnNetworks,
    pub expected: Vec<Column>,
    pub region: Region,
    pub now: Timestamp,
}

/// Columns that say something of a person or line.
const OF_LINE: [Column; 11] = [
    Column::SubscriptionState,
    Column::LineKind,
    Column::PartyKind,
    Column::Class,
    Column::Name,
    Column::DocumentCountry,
    Column::DocumentKind,
    Column::DocumentNumber,
    Column::ContactPhone,
    Column::ContactEmail,
    Column::ActivatedAt,
];

fn named<T: FromStr>(cells: &Cells, column: Column, reason: Reason) -> Result<Option<T>, Reason> {
    cells
        .get(column)
        .map(|text| text.parse().map_err(|_| reason))
        .transpose()
}

impl RowReader {
    fn keyed<T>(&self, of: Indexed, value: T, text: &str) -> Keyed<T> {
        Keyed {
            value,
            index: self.keyring.index(of, text.as_bytes()),
        }
    }

    fn number(&self, text: &str, reason: Reason) -> Result<Msisdn, Reason> {
        // Written in full by a machine, as an export does: forty times as quick.
        if let Some(digits) = text.strip_prefix('+')
            && let Ok(number) = Msisdn::from_e164(digits)
        {
            return Ok(number);
        }
        Msisdn::parse(text, self.region).map_err(|_| reason)
    }

    /// Reads a row.
    pub(super) fn read(&self, cells: &Cells) -> Result<Row, Reason> {
        if let Some(text) = cells.get(Column::Operator)
            && Plmn::parse(text).map_err(|_| Reason::BadOperator)? != self.operator
        {
            return Err(Reason::ForeignOperator);
        }
        let text = cells.get(Column::Iccid).ok_or(Reason::IccidMissing)?;
        let iccid = Iccid::parse(text).map_err(|_| Reason::BadIccid)?;
        let imsi = named::<Imsi>(cells, Column::Imsi, Reason::BadImsi)?;
        if imsi.is_some_and(|imsi| !self.networks.has(&imsi)) {
            return Err(Reason::ForeignImsi);
        }
        let eid = cells
            .get(Column::Eid)
            .map(|text| Eid::parse(text).map_err(|_| Reason::BadEid))
            .transpose()?;
        let imei = cells
            .get(Column::Imei)
            .map(|text| Imei::parse(text).map_err(|_| Reason::BadImei))
            .transpose()?;
        let profile_state = named::<ProfileState>(cells, Column::ProfileState, Reason::BadProfileState)?;
        let line = self.line(cells)?;
        if line.is_none() && profile_state.is_some_and(|state| state.is_live()) {
            return Err(Reason::EnabledWithoutLine);
        }
        let incomplete = line.is_some() && self.expected.iter().any(|column| cells.get(*column).is_none());
        Ok(Row {
            iccid: self.keyed(Indexed::Iccid, iccid, iccid.reveal()),
            imsi: imsi.map(|imsi| self.keyed(Indexed::Imsi, imsi, imsi.reveal())),
            eid: eid.map(|eid| self.keyed(Indexed::Eid, eid, eid.reveal())),
            imei: imei.map(|imei| self.keyed(Indexed::Imei, imei, imei.reveal())),
            profile_state,
            line,
            incomplete,
        })
    }

    fn line(&self, cells: &Cells) -> Result<Option<LineRow>, Reason> {
        let Some(text) = cells.get(Column::Msisdn) else {
            return if OF_LINE.iter().any(|column| cells.get(*column).is_some()) {
                Err(Reason::PersonWithoutLine)
            } else {
                Ok(None)
            };
        };
        let msisdn = self.number(text, Reason::BadMsisdn)?;
        let activated_at = cells
            .get(Column::ActivatedAt)
            .map(|text| text.parse::<Timestamp>().map_err(|_| Reason::BadActivatedAt))
            .transpose()?;
        if activated_at.is_some_and(|at| at > self.now.plus(CLOCK_AHEAD_MAX)) {
            return Err(Reason::BadActivatedAt);
        }
        Ok(Some(LineRow {
            msisdn: self.keyed(Indexed::Msisdn, msisdn, msisdn.reveal()),
            state: named(cells, Column::SubscriptionState, Reason::BadSubscriptionState)?,
            kind: named(cells, Column::LineKind, Reason::BadLineKind)?,
            party_kind: named(cells, Column::PartyKind, Reason::BadPartyKind)?,
            class: named(cells, Column::Class, Reason::BadClass)?,
            name: cells.get(Column::Name).map(name).transpose()?,
            document: self.document(cells)?,
            contact_phone: cells
                .get(Column::ContactPhone)
                .map(|text| self.number(text, Reason::BadContactPhone))
                .transpose()?,
            contact_email: cells.get(Column::ContactEmail).map(email).transpose()?,
            language: cells.get(Column::Language).map(language).transpose()?,
            activated_at,
        }))
    }

    fn document(&self, cells: &Cells) -> Result<Option<Keyed<DocumentKey>>, Reason> {
        let parts = [
            Column::DocumentCountry,
            Column::DocumentKind,
            Column::DocumentNumber,
        ]
        .map(|column| cells.get(column));
        match parts {
            [None, None, None] => Ok(None),
            [Some(country), Some(kind), Some(number)] => {
                let kind: DocumentKind = kind.parse().map_err(|_| Reason::BadDocument)?;
                let key = DocumentKey::new(country, kind, number).map_err(|_| Reason::BadDocument)?;
                Ok(Some(self.keyed(Indexed::Document, key, &key.reveal())))
            }
            _ => Err(Reason::BadDocument),
        }
    }
}

fn name(text: &str) -> Result<String, Reason> {
    // 600 bytes are 200 Khmer letters.
    if text.len() > 4 * NAME_CHARS_MAX
        || text.chars().count() > NAME_CHARS_MAX
        || text.chars().any(char::is_control)
    {
        return Err(Reason::BadName);
    }
    Ok(text.to_owned())
}

fn email(text: &str) -> Result<String, Reason> {
    let fine = text.len() <= EMAIL_BYTES_MAX
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.starts_with('.')
        });
    if fine {
        Ok(text.to_owned())
    } else {
        Err(Reason::BadContactEmail)
    }
}

fn language(text: &str) -> Result<String, Reason> {
    if matches!(text, "km" | "en" | "zh") {
        Ok(text.to_owned())
    } else {
        Err(Reason::BadLanguage)
    }
}
