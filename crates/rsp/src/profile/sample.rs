//! A small profile package for demos and tests: header, file system of a USIM, codes, keys, end.
//!
//! Its form is that of a real one, its keys are random; no network knows them.

use super::personalise::{Personalisation, PersonaliseError, SecretKey, personalise};
use crate::der::{push, tlv};
use simwarden_model::{Entropy, Iccid, Imsi};
use zeroize::Zeroizing;

/// Makes a sample package with drawn keys and codes.
///
/// # Errors
/// [`PersonaliseError`] never in practice: the template has a place for everything.
pub fn sample(
    iccid: &Iccid,
    imsi: &Imsi,
    entropy: &mut dyn Entropy,
) -> Result<Zeroizing<Vec<u8>>, PersonaliseError> {
    let (mut ki, mut opc) = (SecretKey([0; 16]), SecretKey([0; 16]));
    let mut adm = Zeroizing::new([0; 8]);
    entropy.fill(&mut ki.0);
    entropy.fill(&mut opc.0);
    entropy.fill(&mut *adm);
    let data = Personalisation {
        iccid: *iccid,
        imsi: *imsi,
        ki,
        opc,
        pin: Some(Zeroizing::new(digits(entropy, 4))),
        puk: Some(Zeroizing::new(digits(entropy, 8))),
        adm: Some(adm),
    };
    personalise(&template(), &data)
}

fn digits(entropy: &mut dyn Entropy, count: usize) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut byte = [0];
        entropy.fill(&mut byte);
        // 250 is the largest multiple of ten: every digit is as likely.
        if byte[0] < 250 {
            text.push(char::from(b'0' + byte[0] % 10));
        }
    }
    text
}

/// Header of an element: mandated, with its number.
fn head(number: u8) -> Vec<u8> {
    tlv(0xA0, &[&[0x80, 0, 0x81, 1, number]])
}

/// Contents of 2.23.143.1.2.x: the file templates of the profile package format.
fn file_template(arc: u8) -> [u8; 6] {
    [0x67, 0x81, 0x0F, 0x01, 0x02, arc]
}

/// A transparent file with contents; its properties are the template's.
fn file(tag: u32, contents: &[u8]) -> Vec<u8> {
    tlv(tag, &[&[0xA1, 0x00], &tlv(0x83, &[contents])])
}

fn template() -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    // Format 2.3, a name, a place for the ICCID, the service that a phone must have, the templates used.
    let services = tlv(0xA5, &[&[0x81, 0, 0x84, 0]]);
    let templates = tlv(
        0xA6,
        &[&tlv(0x06, &[&file_template(1)]), &tlv(0x06, &[&file_template(4)])],
    );
    let iccid = tlv(0x83, &[&[0x89; 10]]);
    let name = tlv(0x82, &[b"simwarden sample"]);
    push(
        &mut out,
        0xA0,
        &[
            &[0x80, 1, 2, 0x81, 1, 3],
            &name[..],
            &iccid,
            &services,
            &templates,
        ]
        .concat(),
    );
    let mf = [
        0xA2, 0x0C, 0xA1, 0x0A, 0x8B, 3, 0x2F, 6, 1, 0xC6, 3, 1, 0x0A, 0x0B,
    ];
    let links = [0xA5, 0x02, 0xA1, 0x00, 0xA6, 0x02, 0xA1, 0x00];
    out.extend(tlv(
        0xB0,
        &[
            &head(1),
            &tlv(0x81, &[&file_template(1)]),
            &mf,
            &[0xA3, 0x02, 0xA1, 0x00],
            &file(0xA4, &[0xFF; 10]),
            &links,
        ],
    ));
    let puk = tlv(0x30, &[&[0x80, 1, 1], &tlv(0x81, &[b"00000000"])]);
    out.extend(tlv(0xA3, &[&head(2), &tlv(0xA1, &[&puk])]));
    let pin = tlv(
        0x30,
        &[
            &[0x80, 1, 1],
            &tlv(0x81, &[b"0000\xFF\xFF\xFF\xFF"]),
            &[0x82, 1, 1, 0x83, 1, 6],
        ],
    );
    let adm = tlv(0x30, &[&[0x80, 1, 0x0A], &tlv(0x81, &[&[0; 8]]), &[0x83, 1, 3]]);
    out.extend(tlv(0xA2, &[&head(3), &tlv(0xA1, &[&tlv(0xA0, &[&pin, &adm])])]));
    let adf = tlv(
        0xA2,
        &[&tlv(
            0xA1,
            &[
                &[0x83, 2, 0x7F, 0xD0],
                &tlv(
                    0x84,
                    &[&[0xA0, 0, 0, 0, 0x87, 0x10, 2, 0xFF, 0x49, 0xFF, 5, 0x89]],
                ),
                &[0x8B, 3, 0x2F, 6, 1, 0xC6, 4, 0x81, 1, 0x0A, 0x0B],
            ],
        )],
    );
    out.extend(tlv(
        0xB3,
        &[
            &head(4),
            &tlv(0x81, &[&file_template(4)]),
            &adf,
            &file(0xA3, &[0xFF; 9]),
        ],
    ));
    let keys = [
        &[0x80, 1, 1, 0x81, 1, 2][..],
        &tlv(0x82, &[&[0; 16]]),
        &tlv(0x83, &[&[0; 16]]),
    ]
    .concat();
    out.extend(tlv(0xA4, &[&head(5), &tlv(0xA1, &[&tlv(0xA1, &[&keys])])]));
    out.extend(tlv(0xAA, &[&head(6)]));
    out
}
