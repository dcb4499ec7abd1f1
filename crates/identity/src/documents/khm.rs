//! Cambodia: the national identity card (TD1, `IDKHM`, a number of nine digits) and the passport (TD3).

use super::issuers::Issuer;
use super::layout::{Field, Format};
use super::mrz::Mrz;

/// The rules of Cambodia.
pub const ISSUER: Issuer = Issuer { code: "KHM", unlike };

fn unlike(mrz: &Mrz) -> Vec<&'static str> {
    let mut found = Vec::new();
    match mrz.format() {
        Format::Td1 => {
            if mrz.raw(Field::DocumentCode) != "ID" {
                found.push("a Cambodian card begins with IDKHM");
            }
            let number = mrz.field(Field::DocumentNumber);
            if number.len() != 9 || !number.bytes().all(|b| b.is_ascii_digit()) {
                found.push("the number of a Cambodian identity card has nine digits");
            }
            if mrz.field(Field::Nationality) != "KHM" {
                found.push("a Cambodian identity card is given to Cambodians only");
            }
        }
        Format::Td3 => {
            if mrz.field(Field::Nationality) != "KHM" {
                found.push("a Cambodian passport names another nationality");
            }
        }
        Format::Td2 => found.push("no Cambodian document of this size is known"),
        // Cambodia's visas are given to foreigners.
        Format::MrvA | Format::MrvB => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::documents::emit::{Content, emit};
    use crate::documents::layout::Format;

    #[test]
    fn what_is_unlike_a_cambodian_card_is_said() {
        let mut content = Content {
            document_code: "ID".into(),
            issuer: "KHM".into(),
            document_number: "012345678".into(),
            birth_date: "900413".into(),
            sex: "F".into(),
            expiry_date: "310412".into(),
            nationality: "KHM".into(),
            surname: "SOK".into(),
            given_names: "SOPHEA".into(),
            ..Content::default()
        };
        let card = emit(Format::Td1, &content).unwrap();
        assert_eq!(card.lines()[0], "IDKHM0123456784<<<<<<<<<<<<<<<");
        assert!(super::unlike(&card).is_empty());
        content.document_number = "N1234567".into();
        content.nationality = "VNM".into();
        let card = emit(Format::Td1, &content).unwrap();
        assert_eq!(super::unlike(&card).len(), 2);
    }
}
