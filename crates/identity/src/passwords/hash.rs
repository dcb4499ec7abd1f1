//! How a password is kept: Argon2id (RFC 9106) with the least cost that OWASP names, under a key of the installation,
//! so that a stolen database alone cannot be guessed at.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use subtle::ConstantTimeEq as _;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What one check costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };
    /// The most that a stored hash may ask for: it comes from the database, which somebody may have changed.
    const MAX: Self = Self {
        memory_kib: 256 * 1024,
        passes: 10,
    };
}

/// A stored hash that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The text is not one that this program writes.
    #[error("this is no stored password hash: expected `$argon2id$v=19$m=…,t=…,p=1$salt$hash`")]
    Malformed,
    /// The cost is beyond what is allowed.
    #[error("the cost of this password hash is out of bounds")]
    Cost,
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordHash({:?}, …)", self.cost)
    }
}

fn compute(
    password: &str,
    key: &[u8; 32],
    salt: &[u8; SALT_BYTES],
    cost: Cost,
) -> Result<[u8; HASH_BYTES], HashError> {
    let params =
        Params::new(cost.memory_kib, cost.passes, 1, Some(HASH_BYTES)).map_err(|_| HashError::Cost)?;
    let argon = Argon2::new_with_secret(key, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|_| HashError::Cost)?;
    let mut hash = [0; HASH_BYTES];
    argon
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(|_| HashError::Cost)?;
    Ok(hash)
}

impl PasswordHash {
    /// Hashes a password. Takes tens of milliseconds and the cost's memory: not for a thread that serves others.
    ///
    /// # Errors
    /// [`HashError::Cost`] when the library refuses the cost.
    pub fn make(
        password: &str,
        key: &[u8; 32],
        salt: [u8; SALT_BYTES],
        cost: Cost,
    ) -> Result<Self, HashError> {
        let hash = compute(password, key, &salt, cost)?;
        Ok(Self { cost, salt, hash })
    }

    /// Whether this is the password. The comparison takes the same time for any wrong one.
    ///
    /// # Errors
    /// [`HashError::Cost`] when the library refuses the cost.
    pub fn verify(&self, password: &str, key: &[u8; 32]) -> Result<bool, HashError> {
        let hash = compute(password, key, &self.salt, self.cost)?;
        Ok(hash.ct_eq(&self.hash).into())
    }

    /// Whether it was made with less than this cost, and is to be made again at the next sign-in.
    #[must_use]
    pub const fn is_below(&self, cost: Cost) -> bool {
        self.cost.memory_kib < cost.memory_kib || self.cost.passes < cost.passes
    }

    /// The text that is kept, in the PHC string format.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            self.cost.memory_kib,
            self.cost.passes,
            BASE64.encode(self.salt),
            BASE64.encode(self.hash)
        )
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// When it is another text, or its cost is out of bounds.
    pub fn from_text(text: &str) -> Result<Self, HashError> {
        let rest = text
            .strip_prefix("$argon2id$v=19$m=")
            .ok_or(HashError::Malformed)?;
        let mut parts = rest.split('$');
        let (Some(cost), Some(salt), Some(hash), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(HashError::Malformed);
        };
        let (memory, passes) = cost
            .strip_suffix(",p=1")
            .and_then(|cost| cost.split_once(",t="))
            .ok_or(HashError::Malformed)?;
        let cost = Cost {
            memory_kib: memory.parse().map_err(|_| HashError::Malformed)?,
            passes: passes.parse().map_err(|_| HashError::Malformed)?,
        };
        if cost.memory_kib > Cost::MAX.memory_kib || cost.passes > Cost::MAX.passes {
            return Err(HashError::Cost);
        }
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| HashError::Malformed);
        Ok(Self {
            cost,
            salt: bytes(salt)?.try_into().map_err(|_| HashError::Malformed)?,
            hash: bytes(hash)?.try_into().map_err(|_| HashError::Malformed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cost, HashError, PasswordHash};
    use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

    const LOW: Cost = Cost {
        memory_kib: 64,
        passes: 1,
    };

    /// RFC 9106, section 5.3: the Argon2id test vector.
    #[test]
    fn the_library_is_the_rfcs_argon2id() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut out = [0; 32];
        argon.hash_password_into(&[1; 32], &[2; 16], &mut out).unwrap();
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }

    #[test]
    fn a_password_verifies_under_its_key_and_no_other() {
        let made = PasswordHash::make("tuk kdau", &[1; 32], [2; 16], LOW).unwrap();
        let read = PasswordHash::from_text(&made.to_text()).unwrap();
        assert_eq!(read, made);
        assert!(read.verify("tuk kdau", &[1; 32]).unwrap());
        assert!(!read.verify("tuk kdaU", &[1; 32]).unwrap());
        assert!(!read.verify("tuk kdau", &[9; 32]).unwrap());
        assert!(read.is_below(Cost::OWASP) && !read.is_below(LOW));
    }

    #[test]
    fn a_changed_row_cannot_ask_for_all_memory() {
        let made = PasswordHash::make("x", &[1; 32], [2; 16], LOW).unwrap().to_text();
        let greedy = made.replace("m=64", "m=4000000000");
        assert_eq!(PasswordHash::from_text(&greedy), Err(HashError::Cost));
        for bad in [
            "",
            "$argon2i$v=19$m=64,t=1,p=1$a$b",
            &made[..made.len() - 4],
            &format!("{made}$x"),
        ] {
            assert_eq!(PasswordHash::from_text(bad), Err(HashError::Malformed), "{bad}");
        }
    }
}
