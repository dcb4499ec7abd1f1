//! ES10b: `GetEUICCChallenge` (SGP.22 5.7.7): a session begins, and the one before is forgotten.

use crate::chip::Euicc;
use crate::error::Result;
use crate::state::Session;
use crate::tlv::{Tlv, tlv};
use simwarden_model::Entropy;

/// Sixteen random bytes.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>, entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
    request.inside().end()?;
    super::load::interrupted(chip);
    let mut challenge = [0; 16];
    entropy.fill(&mut challenge);
    chip.session = Some(Session {
        challenge,
        authenticated: None,
        prepared: None,
        loading: None,
    });
    Ok(tlv(0xBF2E, tlv(0x80, challenge)))
}
