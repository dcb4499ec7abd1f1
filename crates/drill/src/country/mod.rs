//! A small invented country: operators, people, lines, shops, staff, and eSIMs in stock.
//!
//! The same seed gives the same bytes on every machine. Nothing here belongs to anybody (see [`numbers`]). It knows no
//! server and no database: [`Country::write_inventory`] writes what an operator would hand over for import.

mod inventory;
mod names;
pub(crate) mod numbers;
mod people;

pub use inventory::COLUMNS;

use crate::chance::Dice;
use simwarden_model::{LineKind, PartyClass, PartyKind, Timestamp};

/// People in the default country.
pub const PEOPLE: u32 = 50_000;
/// Profiles in stock per operator in the default country.
pub const STOCK: u32 = 2_000;
/// The most people: the numbering has room for no more.
pub const PEOPLE_MAX: u32 = 2_000_000;
/// How many people at the head of the list have a simple life, so that scenarios can cast them: ordinary adults with
/// one line each.
pub const CAST: u32 = 240;
/// Where the lines' ages are counted from.
const FOUNDED: &str = "2026-06-01T00:00:00Z";

/// What country to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountrySpec {
    /// The seed.
    pub seed: u64,
    /// How many people; at least [`CAST`], at most [`PEOPLE_MAX`].
    pub people: u32,
    /// Profiles without a number, for each operator.
    pub stock: u32,
}

impl Default for CountrySpec {
    fn default() -> Self {
        Self {
            seed: 855,
            people: PEOPLE,
            stock: STOCK,
        }
    }
}

/// An invented operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorInfo {
    /// MCC-MNC.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A person or company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Romanised name.
    pub name: String,
    /// As written in Khmer; the same as `name` for foreigners and companies.
    pub name_km: String,
    /// Person or company.
    pub kind: PartyKind,
    /// Class.
    pub class: PartyClass,
    /// Issuing country, three letters.
    pub document_country: String,
    /// `national_id`, `passport`, `company_registration`.
    pub document_kind: String,
    /// Its number.
    pub document_number: String,
    /// `km`, `en`, `zh`.
    pub language: String,
    /// Mail address, under `.example`.
    pub email: Option<String>,
}

/// A line with the profile that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Index into [`Country::people`].
    pub owner: u32,
    /// Index into [`Country::operators`].
    pub operator: u32,
    /// E.164 digits without `+`.
    pub msisdn: String,
    /// The profile's number.
    pub iccid: String,
    /// The subscriber identity.
    pub imsi: String,
    /// The chip.
    pub eid: String,
    /// The phone.
    pub imei: String,
    /// Kind.
    pub kind: LineKind,
    /// Another number of the owner's, for notices.
    pub contact_phone: Option<String>,
    /// Since when.
    pub activated_at: Timestamp,
}

/// A profile that waits for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockProfile {
    /// Index into [`Country::operators`].
    pub operator: u32,
    /// Its number.
    pub iccid: String,
    /// Its subscriber identity.
    pub imsi: String,
}

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Short name, as terminals send it.
    pub code: String,
    /// Its district.
    pub district: String,
    /// Index into [`Country::operators`].
    pub operator: u32,
    /// A shop of the operator's own, rather than a dealer's.
    pub owned: bool,
}

/// Somebody who works at a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Their name.
    pub name: String,
    /// Index into [`Country::shops`].
    pub shop: u32,
    /// Approves rather than serves.
    pub supervisor: bool,
}

/// The country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// What it was made from.
    pub spec: CountrySpec,
    /// Three.
    pub operators: Vec<OperatorInfo>,
    /// People and companies.
    pub people: Vec<Person>,
    /// Their lines; the first [`CAST`] belong to the first people, one each.
    pub lines: Vec<Line>,
    /// Profiles in stock.
    pub stock: Vec<StockProfile>,
    /// Shops, eight for each operator.
    pub shops: Vec<Shop>,
    /// Two agents and a supervisor in each shop.
    pub staff: Vec<Staff>,
    /// The person who lends a document to others: ten lines stand in this name.
    pub mule: u32,
}

impl Country {
    /// Makes it.
    #[must_use]
    pub fn generate(spec: CountrySpec) -> Self {
        let spec = CountrySpec {
            people: spec.people.clamp(CAST + 1, PEOPLE_MAX),
            ..spec
        };
        let operators: Vec<OperatorInfo> = [
            ("999-01", "Romduol Mobile"),
            ("999-02", "Tonle Telecom"),
            ("999-03", "Apsara Net"),
        ]
        .into_iter()
        .map(|(code, name)| OperatorInfo {
            code: code.to_owned(),
            name: name.to_owned(),
        })
        .collect();
        let people = people::people(&spec);
        let (shops, staff) = people::shops(&spec);
        let mule = CAST;
        let (lines, mut serials) = lines(&spec, &people, mule);
        let mut stock = Vec::with_capacity(spec.stock as usize * operators.len());
        for operator in 0..3 {
            for _ in 0..spec.stock {
                let serial = serials.next();
                stock.push(StockProfile {
                    operator,
                    iccid: numbers::iccid(operator, serial),
                    imsi: numbers::imsi(operator, serial),
                });
            }
        }
        Self {
            spec,
            operators,
            people,
            lines,
            stock,
            shops,
            staff,
            mule,
        }
    }

    /// A number that no line has, for somebody who asks for a new one.
    #[must_use]
    pub fn free_number(&self, operator: u32, nth: u32) -> String {
        numbers::msisdn(operator, Serials::spread(9_900_000 + nth))
    }

    /// A chip and a phone that no line has.
    #[must_use]
    pub fn new_phone(&self, nth: u32) -> (String, String) {
        (numbers::eid(90_000_000 + nth), numbers::imei(90_000_000 + nth))
    }
}

/// Serial numbers, each once.
struct Serials(u32);

impl Serials {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }

    /// Scatters numbers over the seven digits of a range, each once: the factor shares no divisor with 10,000,000.
    fn spread(serial: u32) -> u32 {
        u32::try_from(u64::from(serial) * 7_654_321 % 10_000_000).unwrap_or(0)
    }
}

/// Everybody's lines.
fn lines(spec: &CountrySpec, people: &[Person], mule: u32) -> (Vec<Line>, Serials) {
    let mut dice = Dice::new(spec.seed, "lines");
    let mut serials = Serials(0);
    let mut lines = Vec::with_capacity(people.len() + people.len() / 4);
    let founded: Timestamp = FOUNDED.parse().unwrap_or(Timestamp::EPOCH);
    for (owner, person) in (0..).zip(people) {
        let count = match owner {
            n if n < CAST => 1,
            n if n == mule => 10,
            _ if person.kind == PartyKind::Company => 2 + dice.below(6),
            _ if dice.per_mille(230) => 2,
            _ => 1,
        };
        let contact = dice.per_mille(600) || owner < CAST;
        for nth in 0..count {
            let operator = if owner == mule { nth % 3 } else { dice.below(3) };
            let serial = serials.next();
            let days = 40 + dice.below(1_400);
            lines.push(Line {
                owner,
                operator,
                msisdn: numbers::msisdn(operator, Serials::spread(serial)),
                iccid: numbers::iccid(operator, serial),
                imsi: numbers::imsi(operator, serial),
                eid: numbers::eid(serial),
                imei: numbers::imei(serial),
                kind: line_kind(person, &mut dice),
                contact_phone: contact.then(|| {
                    numbers::msisdn((operator + 1) % 3, Serials::spread(5_000_000 + owner % 4_000_000))
                }),
                activated_at: founded.minus(std::time::Duration::from_secs(u64::from(days) * 86_400)),
            });
        }
    }
    (lines, serials)
}

fn line_kind(person: &Person, dice: &mut Dice) -> LineKind {
    match person.class {
        PartyClass::Corporate => LineKind::Corporate,
        _ if dice.per_mille(120) => LineKind::Postpaid,
        _ => LineKind::Prepaid,
    }
}

#[cfg(test)]
mod tests {
    use super::{CAST, Country, CountrySpec};
    use simwarden_model::PartyClass;
    use std::collections::HashSet;

    fn small(seed: u64) -> Country {
        Country::generate(CountrySpec {
            seed,
            people: 2_000,
            stock: 20,
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_country_and_another_seed_another() {
        assert_eq!(small(7), small(7));
        assert_ne!(small(7).people, small(8).people);
    }

    #[test]
    fn identifiers_are_given_once() {
        let country = small(1);
        let once = |values: Vec<&str>| {
            let count = values.len();
            assert_eq!(values.into_iter().collect::<HashSet<_>>().len(), count);
        };
        once(country.lines.iter().map(|l| l.msisdn.as_str()).collect());
        once(
            country
                .lines
                .iter()
                .map(|l| l.iccid.as_str())
                .chain(country.stock.iter().map(|s| s.iccid.as_str()))
                .collect(),
        );
        once(country.lines.iter().map(|l| l.eid.as_str()).collect());
        once(
            country
                .people
                .iter()
                .map(|p| p.document_number.as_str())
                .collect(),
        );
        let numbers: HashSet<&str> = country.lines.iter().map(|l| l.msisdn.as_str()).collect();
        for nth in 0..50 {
            assert!(!numbers.contains(country.free_number(nth % 3, nth).as_str()));
        }
    }

    #[test]
    fn the_cast_leads_a_simple_life_and_the_mule_has_ten_lines() {
        let country = small(3);
        for (at, line) in (0..CAST).zip(&country.lines) {
            assert_eq!(line.owner, at);
            assert_eq!(country.people[at as usize].class, PartyClass::Ordinary);
        }
        let of_mule = country.lines.iter().filter(|l| l.owner == country.mule);
        assert_eq!(of_mule.count(), 10);
        for operator in 0..3 {
            let cast = country.lines[..CAST as usize]
                .iter()
                .filter(|l| l.operator == operator);
            assert!(cast.count() > 30, "every operator has people to cast");
        }
    }
}
