//! Identifiers that are well formed and belong to nobody.
//!
//! * Network codes 999-01 to 999-03: ITU-T E.212 keeps 999 for use inside private networks.
//! * Numbers +855 40, 45, 46: room in the numbering plan that no operator holds.
//! * ICCID 89 999 …, EID 89 999 …: E.164 country code 999 is not assigned.
//! * IMEI 00 …: type allocation codes beginning with 00 are for test mobiles (3GPP TS 23.003, 6.2).

/// Luhn check digit of a number without it (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(body: &str) -> char {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            let twice = digit * 2;
            match at % 2 {
                0 if twice > 9 => twice - 9,
                0 => twice,
                _ => digit,
            }
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

/// Remainder by 97 of a decimal number.
fn mod_97(digits: &str) -> u32 {
    digits
        .bytes()
        .fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97)
}

/// An ICCID: 19 digits with the check digit.
pub(crate) fn iccid(operator: u32, serial: u32) -> String {
    let body = format!("89999{:02}{serial:011}", operator + 1);
    let check = luhn(&body);
    format!("{body}{check}")
}

/// An IMSI of a network: 15 digits.
pub(crate) fn imsi(operator: u32, serial: u32) -> String {
    format!("999{:02}{serial:010}", operator + 1)
}

/// An EID: 32 digits with its check digits (ISO 7064 mod 97-10).
pub(crate) fn eid(serial: u32) -> String {
    let body = format!("8999904220260000{serial:014}");
    let check = 98 - mod_97(&format!("{body}00"));
    format!("{body}{check:02}")
}

/// An IMEI: 15 digits with the check digit.
pub(crate) fn imei(serial: u32) -> String {
    let body = format!("009999{:02}{:06}", serial / 1_000_000, serial % 1_000_000);
    let check = luhn(&body);
    format!("{body}{check}")
}

/// A number: E.164 digits without `+`.
pub(crate) fn msisdn(operator: u32, serial: u32) -> String {
    let range = ["40", "45", "46"][operator as usize % 3];
    format!("855{range}{:07}", serial % 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::{eid, iccid, imei, imsi, msisdn};
    use simwarden_model::{Eid, Iccid, Imei, Imsi, Msisdn, Region};

    #[test]
    fn every_identifier_is_taken_by_the_model() {
        for n in [0, 1, 7, 99, 12_345, 999_999, 3_000_000] {
            for operator in 0..3 {
                assert!(Iccid::parse(&iccid(operator, n)).is_ok());
                assert!(Imsi::parse_plain(&imsi(operator, n)).is_ok());
                let number = format!("+{}", msisdn(operator, n));
                assert!(Msisdn::parse(&number, Region::KH).is_ok(), "{number}");
            }
            assert!(Eid::parse(&eid(n)).is_ok());
            assert!(Imei::parse(&imei(n)).is_ok());
        }
    }
}
