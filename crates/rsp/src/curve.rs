//! The elliptic curves of RSP and points on them. NIST P-256 today; brainpoolP256r1 has its place in [`Curve`].

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

/// A raw ECDSA signature, r and s of 32 bytes each (BSI TR-03111), as SGP.22 carries it in `5F37`.
pub type Signature = [u8; 64];
/// An uncompressed point: 04, x, y.
pub type Point = [u8; 65];

/// A curve that keys here may be on. Every `match` on it is a place where another curve is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256 (secp256r1).
    P256,
}

impl Curve {
    /// The curve of an OBJECT IDENTIFIER's contents, as in a certificate; `None` when it is not supported.
    #[must_use]
    pub const fn from_oid(oid: &[u8]) -> Option<Self> {
        match oid {
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] => Some(Self::P256),
            _ => None,
        }
    }
}

/// A point was not on its curve, or was the point at infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key is not a point of the curve; it may be an attack on our one-time keys")]
pub struct NotOnCurve;

/// A public key that is known to be a point of its curve.
#[derive(Clone)]
pub struct PublicKey {
    curve: Curve,
    point: Point,
    key: std::sync::Arc<ParsedPublicKey>,
}

impl PublicKey {
    /// A key from an uncompressed point; that it lies on the curve is checked.
    ///
    /// # Errors
    /// [`NotOnCurve`] for any other bytes.
    pub fn parse(curve: Curve, bytes: &[u8]) -> Result<Self, NotOnCurve> {
        let point: Point = bytes.try_into().map_err(|_| NotOnCurve)?;
        if point[0] != 0x04 {
            return Err(NotOnCurve);
        }
        let key = match curve {
            Curve::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point),
        };
        let key = std::sync::Arc::new(key.map_err(|_| NotOnCurve)?);
        Ok(Self { curve, point, key })
    }

    /// The uncompressed point.
    #[must_use]
    pub const fn point(&self) -> &Point {
        &self.point
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// Whether the signature over the message is this key's, with SHA-256.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == 64 && self.key.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.curve == other.curve && self.point == other.point
    }
}

impl Eq for PublicKey {}

impl core::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PublicKey({:?}, ", self.curve)?;
        self.point[1..9]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, PublicKey};

    #[test]
    fn takes_only_points_of_the_curve() {
        let good = crate::testkit::point_of(&[0x22; 32]);
        assert!(PublicKey::parse(Curve::P256, &good).is_ok());
        for at in [1, 33, 64] {
            let mut off = good;
            off[at] ^= 1;
            assert!(PublicKey::parse(Curve::P256, &off).is_err());
        }
        let mut infinity = [0; 65];
        assert!(PublicKey::parse(Curve::P256, &infinity).is_err());
        infinity[0] = 4;
        assert!(PublicKey::parse(Curve::P256, &infinity).is_err());
        assert!(PublicKey::parse(Curve::P256, &[0]).is_err());
        let mut compressed = good;
        compressed[0] = 2;
        assert!(PublicKey::parse(Curve::P256, &compressed[..33]).is_err());
    }
}
