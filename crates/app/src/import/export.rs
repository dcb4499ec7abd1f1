//! The registry of one operator goes out, in the columns that it came in by.
//!
//! It is a look at the personal data of everybody: the entry on the ledger is durable before the first row leaves.

use super::column::Column;
use super::record::Recorder;
use super::{Format, GUARDED_BEGINNINGS, Progress, Registry, Stage, may_import, time_of};
use crate::chance::OsEntropy;
use crate::secrets::{LineSecret, Of, PartySecret, ProfileSecret, open, open_common, subject_key};
use crate::{Actor, Error};
use simwarden_model::{Msisdn, PartyId, Plmn, ProfileId, SubscriptionId};
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Store, SubjectKey};
use std::collections::{BTreeSet, HashMap};
use std::io::Write;

/// Profiles read at once.
const AT_ONCE: u32 = 1000;

/// An export that is asked for.
pub struct ExportRequest {
    /// Whose registry.
    pub operator: Plmn,
    /// How it is written.
    pub format: Format,
    /// Who asks.
    pub actor: Actor,
}

/// What came of an export.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExportReport {
    /// Rows written.
    pub rows: u64,
    /// Profiles whose data no key opens any more: their person was erased.
    pub erased: u64,
    /// The ledger entry `registry.exported`.
    pub entry: i64,
}

/// What the rows of a page refer to.
struct Page {
    lines: HashMap<SubscriptionId, Subscription>,
    parties: HashMap<PartyId, Party>,
    keys: HashMap<PartyId, SubjectKey>,
}

/// Writes the profiles of an operator with their lines and owners, the oldest first. Lines without a profile are not
/// part of an inventory.
///
/// # Errors
/// When the actor may not, the database cannot be read, or `out` cannot be written.
pub async fn export(
    registry: &Registry,
    request: &ExportRequest,
    out: &mut (dyn Write + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ExportReport, Error> {
    may_import(&request.actor)?;
    let operator = request.operator.to_string();
    if !request.actor.sees_operator(&operator) {
        return Err(Error::forbidden("this token is bound to another operator"));
    }
    let (entry, total) = announce(registry, request, &operator).await?;
    let mut text = String::with_capacity(64 * 1024);
    if request.format == Format::Csv {
        header(&mut text);
    }
    let mut report = ExportReport {
        rows: 0,
        erased: 0,
        entry,
    };
    let mut after = ProfileId::from_bytes([0; 16]);
    loop {
        let profiles = registry.store.profiles_after(&operator, after, AT_ONCE).await?;
        let page = read_page(registry, &profiles).await?;
        for profile in &profiles {
            match cells(registry, &page, profile)? {
                Some(cells) => {
                    write_row(&cells, request.format, &mut text);
                    report.rows += 1;
                }
                None => report.erased += 1,
            }
        }
        out.write_all(text.as_bytes()).map_err(unwritable)?;
        text.clear();
        progress(Progress {
            stage: Stage::Rows,
            rows: report.rows,
            done: report.rows + report.erased,
            total: Some(total),
        });
        match profiles.last() {
            Some(last) if profiles.len() == AT_ONCE as usize => after = last.id,
            _ => break,
        }
    }
    out.flush().map_err(unwritable)?;
    Ok(report)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::invalid("unwritable", format!("the export cannot be written: {error}"))
}

/// Records who looks, and at how much.
async fn announce(registry: &Registry, request: &ExportRequest, operator: &str) -> Result<(i64, u64), Error> {
    let mut tx = registry.store.begin().await?;
    let (end, last) = tx.ledger_end().await?;
    let now = time_of(registry, end, last)?;
    let rows = tx.profile_count(operator).await?;
    let mut recorder = Recorder::new(end, now, request.actor.clone(), operator.to_owned());
    let mut entropy = OsEntropy::new().map_err(Error::internal)?;
    let detail = serde_json::json!({ "rows": rows, "format": request.format });
    let entry = recorder
        .entry("registry.exported", detail, &mut tx, &mut entropy)
        .await?;
    tx.commit().await?;
    Ok((entry, u64::try_from(rows).unwrap_or(0)))
}

async fn read_page(registry: &Registry, profiles: &[Profile]) -> Result<Page, Error> {
    let store: &Store = &registry.store;
    let ids: BTreeSet<_> = profiles.iter().filter_map(|p| p.subscription_id).collect();
    let lines = store
        .subscriptions_with(&ids.into_iter().collect::<Vec<_>>())
        .await?;
    let ids: BTreeSet<_> = lines.iter().map(|line| line.party_id).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let parties = store.parties_with(&ids).await?;
    let mut keys = HashMap::new();
    for row in store.subject_keys(&ids).await? {
        if row.wrapped.is_some() {
            keys.insert(row.party_id, subject_key(&registry.keyring, Some(&row))?);
        }
    }
    Ok(Page {
        lines: lines.into_iter().map(|line| (line.id, line)).collect(),
        parties: parties.into_iter().map(|party| (party.id, party)).collect(),
        keys,
    })
}

type Row = Vec<(Column, String)>;

/// The cells of a profile that say something; none when its person was erased.
fn cells(registry: &Registry, page: &Page, profile: &Profile) -> Result<Option<Row>, Error> {
    let id = profile.id.as_bytes();
    let Some(sealed) = &profile.sealed else {
        return Ok(None);
    };
    let mut row: Row = vec![(Column::Operator, profile.operator.clone())];
    let Some(line) = profile.subscription_id else {
        let secret: ProfileSecret = open_common(&registry.keyring, Of::Profile, id, sealed)?;
        profile_cells(profile, secret, &mut row);
        return Ok(Some(row));
    };
    let found = page.lines.get(&line).and_then(|line| {
        let party = page.parties.get(&line.party_id)?;
        Some((line, party, page.keys.get(&line.party_id)?))
    });
    let Some((line, party, key)) = found else {
        return Ok(None);
    };
    profile_cells(profile, open(key, Of::Profile, id, sealed)?, &mut row);
    line_cells(line, key, &mut row)?;
    party_cells(party, key, &mut row)?;
    Ok(Some(row))
}

fn profile_cells(profile: &Profile, secret: ProfileSecret, row: &mut Row) {
    row.push((Column::Iccid, secret.iccid));
    row.push((Column::ProfileState, profile.state.to_string()));
    let more = [
        (Column::Imsi, secret.imsi),
        (Column::Eid, secret.eid),
        (Column::Imei, secret.imei),
    ];
    row.extend(
        more.into_iter()
            .filter_map(|(column, text)| Some((column, text?))),
    );
}

fn line_cells(line: &Subscription, key: &SubjectKey, row: &mut Row) -> Result<(), Error> {
    let secret: LineSecret = match &line.sealed {
        Some(sealed) => open(key, Of::Line, line.id.as_bytes(), sealed)?,
        None => LineSecret::default(),
    };
    row.push((Column::Msisdn, format!("+{}", secret.msisdn)));
    row.push((Column::SubscriptionState, line.state.to_string()));
    row.push((Column::LineKind, line.kind.to_string()));
    row.push((Column::ActivatedAt, line.opened_at.to_string()));
    let more = [
        (Column::ContactPhone, secret.contact_phone.map(in_full)),
        (Column::ContactEmail, secret.contact_email),
        (Column::Language, secret.language),
    ];
    row.extend(
        more.into_iter()
            .filter_map(|(column, text)| Some((column, text?))),
    );
    Ok(())
}

/// A contact that an operation set may be written as its owner typed it.
fn in_full(number: String) -> String {
    if Msisdn::from_e164(&number).is_ok() {
        format!("+{}", number.trim_start_matches('+'))
    } else {
        number
    }
}

fn party_cells(party: &Party, key: &SubjectKey, row: &mut Row) -> Result<(), Error> {
    let secret: PartySecret = match &party.sealed {
        Some(sealed) => open(key, Of::Party, party.id.as_bytes(), sealed)?,
        None => PartySecret::default(),
    };
    row.push((Column::PartyKind, party.kind.to_string()));
    row.push((Column::Class, party.class.to_string()));
    row.push((Column::Name, secret.name));
    let more = [
        (Column::DocumentCountry, secret.document_country),
        (Column::DocumentKind, secret.document_kind),
        (Column::DocumentNumber, secret.document_number),
    ];
    row.extend(
        more.into_iter()
            .filter_map(|(column, text)| Some((column, text?))),
    );
    Ok(())
}

fn header(text: &mut String) {
    for (n, column) in Column::ALL.iter().enumerate() {
        text.push_str(if n == 0 { "" } else { "," });
        text.push_str(column.name());
    }
    text.push('\n');
}

fn write_row(row: &Row, format: Format, text: &mut String) {
    let mut cells: Vec<&str> = vec![""; Column::ALL.len()];
    for (column, cell) in row {
        cells[*column as usize] = cell;
    }
    match format {
        Format::Csv => {
            for (column, cell) in Column::ALL.iter().zip(&cells) {
                text.push_str(if *column as usize == 0 { "" } else { "," });
                csv_cell(*column, cell, text);
            }
        }
        Format::JsonLines => {
            text.push('{');
            let mut first = true;
            for (column, cell) in Column::ALL.iter().zip(&cells) {
                if !cell.is_empty() {
                    text.push_str(if first { "\"" } else { ",\"" });
                    text.push_str(column.name());
                    text.push_str("\":");
                    text.push_str(&serde_json::Value::from(*cell).to_string());
                    first = false;
                }
            }
            text.push('}');
        }
    }
    text.push('\n');
}

/// Free text could be taken for a formula by a spreadsheet; an import takes the quote away again.
fn csv_cell(column: Column, cell: &str, text: &mut String) {
    let free = matches!(column, Column::Name | Column::ContactEmail);
    let guarded = free && cell.starts_with(GUARDED_BEGINNINGS);
    if !guarded && !cell.contains([',', '"']) {
        text.push_str(cell);
        return;
    }
    text.push('"');
    text.push_str(if guarded { "'" } else { "" });
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}
