//! Turns a template package into one subscriber's: ICCID, IMSI, keys, PINs and PUKs, and nothing else.

use super::{ProfileError, ProfilePackage, element};
use crate::der::{DEPTH_MAX, DerError, Tag, Tlv, push, push_header};
use simwarden_model::{Iccid, Imsi};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Sixteen secret bytes; wiped when they go, never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(pub [u8; 16]);

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// One subscriber's data. Codes are 4 to 8 digits; `None` leaves what the template has.
#[derive(Debug, Clone)]
pub struct Personalisation {
    /// The profile.
    pub iccid: Iccid,
    /// The subscriber's number in the network.
    pub imsi: Imsi,
    /// The key shared with the network.
    pub ki: SecretKey,
    /// The operator's key, already bound to `ki`.
    pub opc: SecretKey,
    /// PIN of the line.
    pub pin: Option<Zeroizing<String>>,
    /// PUK of the line.
    pub puk: Option<Zeroizing<String>>,
    /// The operator's administrative key ADM1, 8 bytes.
    pub adm: Option<Zeroizing<[u8; 8]>>,
}

/// Why a template could not be personalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonaliseError {
    /// The template is no profile package.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The template lacks a place for something.
    #[error("the template has no {0}; use one that has, or the value would silently stay the template's")]
    NoPlace(&'static str),
    /// The template authenticates with TUAK, whose keys have other lengths.
    #[error("the template authenticates with TUAK; use a Milenage template for a Ki and OPc of 16 bytes")]
    Algorithm,
    /// A PIN or PUK is none.
    #[error("a PIN has 4 to 8 digits, a PUK 8")]
    Code,
}

impl From<DerError> for PersonaliseError {
    fn from(error: DerError) -> Self {
        Self::Profile(error.into())
    }
}

const PIN1: u32 = 0x01;
const ADM1: u32 = 0x0A;
const MILENAGE: u8 = 1;

/// Writes the subscriber's package.
///
/// # Errors
/// [`PersonaliseError`]; a template without a place for ICCID, IMSI or keys is refused, never half filled.
pub fn personalise(template: &[u8], data: &Personalisation) -> Result<Zeroizing<Vec<u8>>, PersonaliseError> {
    let package = ProfilePackage::parse(template)?;
    let values = Values::of(data)?;
    let mut out = Zeroizing::new(Vec::with_capacity(template.len() + 64));
    let mut done = Done::default();
    for element in package.elements() {
        rewrite(&mut out, element, &mut vec![], &mut |path, tlv| {
            values.replacement(path, tlv, &mut done)
        })?;
    }
    for (present, what) in [
        (done.header, "ICCID in its header"),
        (done.iccid, "file EF-ICCID"),
        (done.imsi, "file EF-IMSI"),
        (done.keys, "Milenage keys (akaParameter)"),
        (done.pin || data.pin.is_none(), "PIN"),
        (done.puk || data.puk.is_none(), "PUK"),
        (done.adm || data.adm.is_none(), "ADM1 key"),
    ] {
        if !present {
            return Err(PersonaliseError::NoPlace(what));
        }
    }
    ProfilePackage::parse(&out)?;
    Ok(out)
}

#[derive(Default)]
struct Done {
    header: bool,
    iccid: bool,
    imsi: bool,
    keys: bool,
    pin: bool,
    puk: bool,
    adm: bool,
}

/// The values as the package carries them.
struct Values {
    packed_iccid: [u8; 10],
    iccid: [u8; 10],
    imsi: [u8; 9],
    ki: SecretKey,
    opc: SecretKey,
    pin: Option<Zeroizing<[u8; 8]>>,
    puk: Option<Zeroizing<[u8; 8]>>,
    adm: Option<Zeroizing<[u8; 8]>>,
}

type Replacement = Result<Option<Zeroizing<Vec<u8>>>, PersonaliseError>;

impl Values {
    fn of(data: &Personalisation) -> Result<Self, PersonaliseError> {
        let code = |text: &Option<Zeroizing<String>>, min: usize| -> Result<_, PersonaliseError> {
            text.as_ref().map(|text| padded(text, min)).transpose()
        };
        let iccid = data.iccid.to_bcd();
        Ok(Self {
            packed_iccid: iccid.map(|byte| byte.rotate_left(4)),
            iccid,
            imsi: imsi_file(&data.imsi),
            ki: data.ki.clone(),
            opc: data.opc.clone(),
            pin: code(&data.pin, 4)?,
            puk: code(&data.puk, 8)?,
            adm: data.adm.clone(),
        })
    }

    /// The new value of the TLV at this path, when it gets one.
    fn replacement(&self, path: &[Tag], tlv: &Tlv<'_>, done: &mut Done) -> Replacement {
        let fixed = |flag: &mut bool, bytes: &[u8]| {
            *flag = true;
            Ok(Some(Zeroizing::new(bytes.to_vec())))
        };
        match path {
            [element::HEADER, 0x83] => fixed(&mut done.header, &self.packed_iccid),
            [element::MF, 0xA4, 0x83] => fixed(&mut done.iccid, &self.iccid),
            [element::USIM, 0xA3, 0x83] => fixed(&mut done.imsi, &self.imsi),
            [element::AKA_PARAMETER, 0xA1, 0xA1] => self.aka(tlv, done).map(Some),
            [element::PIN_CODES, 0xA1, 0xA0, 0x30] => match key_reference(tlv) {
                Some(PIN1) => with_code(tlv, self.pin.as_ref(), &mut done.pin),
                Some(ADM1) => with_code(tlv, self.adm.as_ref(), &mut done.adm),
                _ => Ok(None),
            },
            [element::PUK_CODES, 0xA1, 0x30] if key_reference(tlv) == Some(PIN1) => {
                with_code(tlv, self.puk.as_ref(), &mut done.puk)
            }
            _ => Ok(None),
        }
    }

    /// algoParameter with Milenage, key and OPc; the rest stays.
    fn aka(&self, tlv: &Tlv<'_>, done: &mut Done) -> Result<Zeroizing<Vec<u8>>, PersonaliseError> {
        let mut out = Zeroizing::new(Vec::with_capacity(tlv.value.len() + 8));
        let mut fields = tlv.inner();
        let mut written = 0;
        while !fields.is_empty() {
            let field = fields.read()?;
            match field.tag {
                0x80 if field.value == [2] => return Err(PersonaliseError::Algorithm),
                0x80 => push(&mut out, 0x80, &[MILENAGE]),
                0x82 => push(&mut out, 0x82, &self.ki.0),
                0x83 => push(&mut out, 0x83, &self.opc.0),
                _ => out.extend_from_slice(field.raw),
            }
            written += usize::from(matches!(field.tag, 0x82 | 0x83));
        }
        done.keys = written == 2;
        Ok(out)
    }
}

/// An entry of PIN or PUK codes with its value (`81`) replaced.
fn with_code(tlv: &Tlv<'_>, code: Option<&Zeroizing<[u8; 8]>>, flag: &mut bool) -> Replacement {
    let Some(code) = code else {
        return Ok(None);
    };
    let mut out = Zeroizing::new(Vec::with_capacity(tlv.value.len() + 8));
    let mut fields = tlv.inner();
    while !fields.is_empty() {
        let field = fields.read()?;
        if field.tag == 0x81 {
            push(&mut out, 0x81, &code[..]);
            *flag = true;
        } else {
            out.extend_from_slice(field.raw);
        }
    }
    Ok(Some(out))
}

fn key_reference(entry: &Tlv<'_>) -> Option<u32> {
    entry.inner().expect(0x80).ok()?.unsigned().ok()
}

fn padded(text: &str, min: usize) -> Result<Zeroizing<[u8; 8]>, PersonaliseError> {
    if !(min..=8).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PersonaliseError::Code);
    }
    let mut bytes = Zeroizing::new([0xFF; 8]);
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    Ok(bytes)
}

/// EF-IMSI (3GPP TS 31.102, 4.2.2): length, then digits low nibble first behind a parity nibble.
fn imsi_file(imsi: &Imsi) -> [u8; 9] {
    let digits: Vec<u8> = imsi.reveal().bytes().map(|byte| byte - b'0').collect();
    let parity = if digits.len() % 2 == 1 { 9 } else { 1 };
    let nibbles: Vec<u8> = core::iter::once(parity).chain(digits).collect();
    let mut file = [0xFF; 9];
    let mut used = 0;
    for (slot, pair) in file[1..].iter_mut().zip(nibbles.chunks(2)) {
        *slot = pair.get(1).copied().unwrap_or(0x0F) << 4 | pair[0];
        used += 1;
    }
    file[0] = used;
    file
}

/// Writes a TLV, with what `replace` says in place of values on the way down; lengths follow.
fn rewrite(
    out: &mut Vec<u8>,
    tlv: &Tlv<'_>,
    path: &mut Vec<Tag>,
    replace: &mut dyn FnMut(&[Tag], &Tlv<'_>) -> Replacement,
) -> Result<(), PersonaliseError> {
    path.push(tlv.tag);
    if let Some(value) = replace(path, tlv)? {
        push(out, tlv.tag, &value);
    } else if tlv.is_constructed() && path.len() < DEPTH_MAX {
        let mut inner = Zeroizing::new(Vec::with_capacity(tlv.value.len() + 16));
        let mut reader = tlv.inner();
        while !reader.is_empty() {
            rewrite(&mut inner, &reader.read()?, path, replace)?;
        }
        push_header(out, tlv.tag, inner.len());
        out.extend_from_slice(&inner);
    } else {
        out.extend_from_slice(tlv.raw);
    }
    path.pop();
    Ok(())
}
