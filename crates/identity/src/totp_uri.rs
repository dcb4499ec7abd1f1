//! The address that an authenticator application reads from a QR code (the Key URI Format), and its base32.

use std::fmt::Write as _;

/// RFC 4648, section 6, without padding, as authenticator applications read it.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    for chunk in bytes.chunks(5) {
        let mut five = [0_u8; 5];
        five[..chunk.len()].copy_from_slice(chunk);
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let letter = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            text.push(char::from(LETTERS[letter]));
        }
    }
    text
}

/// The address: six digits, 30 seconds, SHA-1, which is what every application can.
#[must_use]
pub fn totp_uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let issuer = percent(issuer);
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        percent(account),
        base32(secret)
    )
}

/// RFC 3986, everything but unreserved characters.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{base32, totp_uri};

    #[test]
    fn base32_as_in_the_rfc() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }

    #[test]
    fn nothing_in_a_name_can_add_a_parameter() {
        assert_eq!(
            totp_uri("simwarden", "សុខ&secret=A?b:c", b"foo"),
            "otpauth://totp/simwarden:%E1%9E%9F%E1%9E%BB%E1%9E%81%26secret%3DA%3Fb%3Ac?secret=MZXW6&issuer=simwarden\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
