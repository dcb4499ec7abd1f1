//! Who lives there, and who works in the shops.

use super::names::{ABROAD, COMPANY, DISTRICT, FAMILY, FAMILY_ABROAD, GIVEN, GIVEN_ABROAD, TRADE};
use super::{CAST, CountrySpec, Person, Shop, Staff};
use crate::chance::Dice;
use simwarden_model::{PartyClass, PartyKind};

/// Shops of each operator; the first is its own, the others are dealers'.
const SHOPS: u32 = 8;

/// Everybody, the cast first.
pub(super) fn people(spec: &CountrySpec) -> Vec<Person> {
    let mut dice = Dice::new(spec.seed, "people");
    (0..spec.people)
        .map(|at| {
            let class = if at <= CAST {
                PartyClass::Ordinary
            } else {
                class(&mut dice)
            };
            person(at, class, &mut dice)
        })
        .collect()
}

fn class(dice: &mut Dice) -> PartyClass {
    match dice.below(1000) {
        0..=29 => PartyClass::Minor,
        30..=59 => PartyClass::Foreigner,
        60..=69 => PartyClass::Tourist,
        70..=84 => PartyClass::Corporate,
        85..=99 => PartyClass::Vulnerable,
        100..=104 => PartyClass::HighValue,
        105..=106 => PartyClass::Survivor,
        _ => PartyClass::Ordinary,
    }
}

fn person(at: u32, class: PartyClass, dice: &mut Dice) -> Person {
    let (name, name_km) = name(class, dice);
    let (kind, document_country, document_kind, document_number) = match class {
        PartyClass::Corporate => (
            PartyKind::Company,
            "KHM",
            "company_registration",
            format!("{:08}{}", at, dice.digits(3)),
        ),
        PartyClass::Foreigner | PartyClass::Tourist => (
            PartyKind::Person,
            *dice.pick(ABROAD),
            "passport",
            format!("X{:07}{}", at, dice.digits(2)),
        ),
        // Nine digits of the serial and three drawn ones: longer than a real card's number, so it is nobody's.
        _ => (
            PartyKind::Person,
            "KHM",
            "national_id",
            format!("{:09}{}", at, dice.digits(3)),
        ),
    };
    let language = match class {
        PartyClass::Foreigner | PartyClass::Tourist if document_country == "CHN" => "zh",
        PartyClass::Foreigner | PartyClass::Tourist => "en",
        _ => "km",
    };
    let email = (at < CAST || dice.per_mille(350))
        .then(|| format!("{}.{at}@mail.example", name.to_lowercase().replace(' ', ".")));
    Person {
        name,
        name_km,
        kind,
        class,
        document_country: document_country.to_owned(),
        document_kind: document_kind.to_owned(),
        document_number,
        language: language.to_owned(),
        email,
    }
}

fn name(class: PartyClass, dice: &mut Dice) -> (String, String) {
    match class {
        PartyClass::Corporate => {
            let name = format!("{} {}", dice.pick(COMPANY), dice.pick(TRADE));
            (name.clone(), name)
        }
        PartyClass::Foreigner | PartyClass::Tourist => {
            let name = format!("{} {}", dice.pick(GIVEN_ABROAD), dice.pick(FAMILY_ABROAD));
            (name.clone(), name)
        }
        _ => khmer(dice),
    }
}

fn khmer(dice: &mut Dice) -> (String, String) {
    let (family, given) = (dice.pick(FAMILY), dice.pick(GIVEN));
    (
        format!("{} {}", family.0, given.0),
        format!("{} {}", family.1, given.1),
    )
}

/// The shops and who works there.
pub(super) fn shops(spec: &CountrySpec) -> (Vec<Shop>, Vec<Staff>) {
    let mut dice = Dice::new(spec.seed, "shops");
    let mut shops = Vec::new();
    let mut staff = Vec::new();
    for operator in 0..3 {
        for (nth, district) in (0..SHOPS).zip(DISTRICT.iter().cycle()) {
            let shop = u32::try_from(shops.len()).unwrap_or(0);
            shops.push(Shop {
                code: format!("shop-{}{:02}", operator + 1, nth + 1),
                district: (*district).to_owned(),
                operator,
                owned: nth == 0,
            });
            for supervisor in [false, false, true] {
                staff.push(Staff {
                    name: khmer(&mut dice).0,
                    shop,
                    supervisor,
                });
            }
        }
    }
    (shops, staff)
}
