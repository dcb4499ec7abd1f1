//! A first inventory, into an empty registry: nothing needs to be looked up, so rows are sealed as they are read.

use super::compact::{Numbers, Places};
use super::maker::Maker;
use super::problem::Reason;
use super::row::{LineRow, Row};
use crate::Error;
use simwarden_model::SubscriptionState;
use simwarden_store::records::import::FreshRows;

/// Marks, in the number of a line's party, that the line has a live profile.
const LIVE: u32 = 1 << 31;

/// What the file said so far.
pub(super) struct EmptyRegistry {
    pub maker: Maker,
    pub chips: Places,
    pub phones: Places,
    documents: Numbers,
    numbers: Numbers,
    /// By number of the line: the number of its party, with [`LIVE`].
    parties: Vec<u32>,
}

impl EmptyRegistry {
    pub(super) fn new(maker: Maker) -> Self {
        Self {
            maker,
            chips: Places::default(),
            phones: Places::default(),
            documents: Numbers::default(),
            numbers: Numbers::default(),
            parties: Vec::new(),
        }
    }

    /// Adds the rows that one row of the file makes, or says why it makes none.
    pub(super) fn add(&mut self, row: &Row, out: &mut FreshRows) -> Result<Result<(), Reason>, Error> {
        match &row.line {
            None => {
                self.maker.profile(row, None, out)?;
            }
            Some(line) => {
                let live = row.first_state().is_live();
                let number = match self.line(line, live, out)? {
                    Ok(number) => number,
                    Err(reason) => return Ok(Err(reason)),
                };
                if live {
                    self.parties[number as usize] |= LIVE;
                }
                let key = self.maker.key(self.parties[number as usize] & !LIVE);
                let id = self.maker.line_id(number);
                self.maker.profile(row, Some((id, &key)), out)?;
            }
        }
        if let Some(eid) = row.eid {
            self.chips.add(eid.index, eid.value.eum());
        }
        if let Some(imei) = row.imei {
            self.phones.add(imei.index, imei.value.tac());
        }
        Ok(Ok(()))
    }

    /// The number of the line, which stood in the file before or is made now.
    fn line(&mut self, row: &LineRow, live: bool, out: &mut FreshRows) -> Result<Result<u32, Reason>, Error> {
        let closed = row.state == Some(SubscriptionState::Closed);
        if let Some(number) = self.numbers.get(row.msisdn.index).filter(|_| !closed) {
            let party = self.parties[number as usize];
            if let Some(document) = row.document
                && self.documents.get(document.index) != Some(party & !LIVE)
            {
                return Ok(Err(Reason::OwnerDiffers));
            }
            if live && party & LIVE != 0 {
                return Ok(Err(Reason::TwoLiveProfiles));
            }
            return Ok(Ok(number));
        }
        let known = row
            .document
            .and_then(|document| self.documents.get(document.index));
        let party = match known {
            Some(party) => party,
            None => {
                let (party, _) = self.maker.party(row, out)?;
                if let Some(document) = row.document {
                    self.documents.put(document.index, party);
                }
                party
            }
        };
        let id = self.maker.party_id(party);
        let key = self.maker.key(party);
        let (number, _) = self.maker.line(row, id, &key, out)?;
        debug_assert_eq!(number as usize, self.parties.len());
        self.parties.push(party);
        if !closed {
            self.numbers.put(row.msisdn.index, number);
        }
        Ok(Ok(number))
    }
}
