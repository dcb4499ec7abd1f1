//! Bytes as hexadecimal text: in the state file and in the JSON lines of the APDU face.

use crate::error::{EuiccError, Result};

/// Upper-case hexadecimal digits.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Bytes of hexadecimal digits in either case.
///
/// # Errors
/// [`EuiccError::Malformed`] for an odd count or another character.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|it| it.to_le_bytes()[0]);
    if text.len() % 2 == 1 {
        return Err(EuiccError::Malformed("an odd count of hexadecimal digits"));
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect::<Option<_>>()
        .ok_or(EuiccError::Malformed("a character that is no hexadecimal digit"))
}

/// For `#[serde(with = "crate::hex::bytes")]` on a byte vector.
pub(crate) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::encode(value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        super::decode(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// For `#[serde(with = "crate::hex::array")]` on an array of bytes.
pub(crate) mod array {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer, const N: usize>(value: &[u8; N], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::encode(value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(d: D) -> Result<[u8; N], D::Error> {
        let bytes = super::decode(&String::deserialize(d)?).map_err(serde::de::Error::custom)?;
        bytes
            .try_into()
            .map_err(|_| serde::de::Error::custom(format!("not {N} bytes")))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn goes_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(super::decode(&super::encode(&all)).unwrap(), all);
        assert_eq!(super::decode("bF36").unwrap(), [0xBF, 0x36]);
        assert!(super::decode("0").is_err() && super::decode("0g").is_err() && super::decode("é").is_err());
    }
}
