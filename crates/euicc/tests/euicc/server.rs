//! A minimal SM-DP+, only for the tests of the chip: one order, one session, and one thing that it can do wrong.

use crate::chance::Seed;
use crate::seal::Seal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simwarden_euicc::bsp::SecureChannel;
use simwarden_euicc::certificate::{Certificate, CertificateRole};
use simwarden_euicc::crypto::{PrivateKey, is_on_curve, verify};
use simwarden_euicc::hex;
use simwarden_euicc::lpa::hash_confirmation_code;
use simwarden_euicc::pki::{Credential, Flaw, Holder, Pki};
use simwarden_euicc::tlv::{self, bits, join, number, tlv as el};
use simwarden_model::{Entropy, Iccid};

pub const HOST: &str = "smdp.example.com";

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    Signature1,
    OtherChallenge,
    OtherAddress,
    AuthRole,
    AuthForeignIssuer,
    AuthForged,
    AuthKeyUsage,
    UnknownCiKeyId,
    PbRole,
    PbOtherOid,
    Signature2,
    Signature2OfOtherSession,
    SignedTransaction2,
    SmdpSign,
    BppTransaction,
    BppKeyType,
    BppOperation,
    OffCurveKey,
    FlippedSegment,
    SwappedSegments,
    MissingSegment,
    LongSegments,
    OtherMetadata,
    NoEnd,
    TrailingBytes,
}

pub struct Server {
    pub pki: Pki,
    pub metadata: Vec<u8>,
    pub package: Vec<u8>,
    pub confirmation_code: Option<String>,
    pub replace_keys: bool,
    pub wrong: Wrong,
    pub used_keys: Vec<Vec<u8>>,
    pub ask_for_key: Option<Vec<u8>>,
    /// Verified notifications, as `event:seq`.
    pub told: Vec<String>,
    pub cancelled: Vec<u64>,
    pub infos: Vec<Vec<u8>>,
    pub devices: Vec<Vec<u8>>,
    chance: Seed,
    session: Option<Session>,
}

#[derive(Clone)]
struct Session {
    id: Vec<u8>,
    challenge: [u8; 16],
    chip: Option<Certificate>,
    signature2: Vec<u8>,
}

type Answer = Result<Value, (&'static str, &'static str)>;

impl Server {
    pub fn new(pki: Pki, metadata: Vec<u8>, package: Vec<u8>) -> Self {
        Self {
            pki,
            metadata,
            package,
            confirmation_code: None,
            replace_keys: true,
            wrong: Wrong::Nothing,
            used_keys: Vec::new(),
            ask_for_key: None,
            told: Vec::new(),
            cancelled: Vec::new(),
            infos: Vec::new(),
            devices: Vec::new(),
            chance: Seed(77),
            session: None,
        }
    }

    pub fn call(&mut self, function: &str, body: &Value) -> (u16, Vec<u8>) {
        let field = |name: &str| STANDARD.decode(body[name].as_str().unwrap_or_default()).unwrap();
        let answer = match function {
            "initiateAuthentication" => self.initiate(&field("euiccChallenge")),
            "authenticateClient" => self.authenticate(&field("authenticateServerResponse")),
            "getBoundProfilePackage" => self.bind(&field("prepareDownloadResponse")),
            "cancelSession" => self.cancel(&field("cancelSessionResponse")),
            "handleNotification" => {
                self.notified(&field("pendingNotification"));
                return (204, Vec::new());
            }
            other => panic!("no function {other}"),
        };
        let answer = match answer {
            Ok(mut fields) => {
                fields["header"] = json!({"functionExecutionStatus": {"status": "Executed-Success"}});
                fields
            }
            Err((subject, reason)) => json!({"header": {"functionExecutionStatus": {"status": "Failed",
                "statusCodeData": {"subjectCode": subject, "reasonCode": reason}}}}),
        };
        (200, answer.to_string().into_bytes())
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn credential(&mut self, own: Credential, holder: &Holder, flaws: &[(Wrong, Flaw)]) -> Credential {
        let flaw = flaws.iter().find(|it| it.0 == self.wrong).map(|it| it.1.clone());
        match flaw {
            None => own,
            Some(flaw) => self.pki.issue(holder, Some(flaw), &mut self.chance).unwrap(),
        }
    }

    fn initiate(&mut self, euicc_challenge: &[u8]) -> Answer {
        let mut id = vec![0; 16];
        self.chance.fill(&mut id);
        let mut challenge = [0; 16];
        self.chance.fill(&mut challenge);
        let mut returned = euicc_challenge.to_vec();
        returned[0] ^= u8::from(self.is(Wrong::OtherChallenge));
        let host = if self.is(Wrong::OtherAddress) {
            "other.example.com"
        } else {
            HOST
        };
        let signed = join(
            0x30,
            &[
                &el(0x80, &id),
                &el(0x81, returned),
                &el(0x83, host),
                &el(0x84, challenge),
            ],
        );
        let dpauth = self.credential(
            self.pki.dpauth.clone(),
            &Holder::DpAuth,
            &[
                (Wrong::AuthRole, Flaw::Role(CertificateRole::DpPb)),
                (Wrong::AuthForeignIssuer, Flaw::ForeignIssuer),
                (Wrong::AuthForged, Flaw::ForgedSignature),
                (Wrong::AuthKeyUsage, Flaw::KeyUsage),
            ],
        );
        let mut signature = dpauth.key.sign(&[&signed]);
        signature[9] ^= u8::from(self.is(Wrong::Signature1));
        let mut ci = self.pki.ci.certificate.key_id().unwrap();
        ci[0] ^= u8::from(self.is(Wrong::UnknownCiKeyId));
        self.session = Some(Session {
            id: id.clone(),
            challenge,
            chip: None,
            signature2: Vec::new(),
        });
        Ok(json!({
            "transactionId": hex::encode(&id),
            "serverSigned1": STANDARD.encode(signed),
            "serverSignature1": STANDARD.encode(el(0x5F37, signature)),
            "euiccCiPKIdToBeUsed": STANDARD.encode(el(0x04, ci)),
            "serverCertificate": STANDARD.encode(dpauth.certificate.der()),
        }))
    }

    /// The chain of a chip, as section 3 of SGP.22's checks has it.
    fn believe(&self, euicc: &[u8], eum: &[u8]) -> Result<Certificate, (&'static str, &'static str)> {
        let eum = Certificate::from_der(eum).map_err(|_| ("8.1.2", "6.1"))?;
        if !eum.is_signed_by(&self.pki.ci.certificate) || !eum.has_role(CertificateRole::Eum) {
            return Err(("8.1.2", "6.1"));
        }
        let chip = Certificate::from_der(euicc).map_err(|_| ("8.1.3", "6.1"))?;
        let eid = chip.subject_serial().unwrap_or_default();
        let in_range = eum.permitted_eid_prefixes().iter().any(|it| eid.starts_with(it));
        if !chip.is_signed_by(&eum) || !chip.has_role(CertificateRole::Euicc) || !in_range {
            return Err(("8.1.3", "6.1"));
        }
        Ok(chip)
    }

    fn authenticate(&mut self, response: &[u8]) -> Answer {
        let session = self.session.clone().ok_or(("8.10.1", "3.9"))?;
        let mut ok = tlv::only(response, 0xBF38)
            .unwrap()
            .inside()
            .expect(0xA0)
            .unwrap()
            .inside();
        let signed = ok.expect(0x30).unwrap();
        let signature = ok.expect(0x5F37).unwrap();
        let (euicc, eum) = (ok.expect(0x30).unwrap(), ok.expect(0x30).unwrap());
        let chip = self.believe(euicc.raw, eum.raw)?;
        if !verify(chip.public_key(), &[signed.raw], signature.value) {
            return Err(("8.1", "6.1"));
        }
        let mut fields = signed.inside();
        if fields.expect(0x80).unwrap().value != session.id {
            return Err(("8.10.1", "3.9"));
        }
        fields.expect(0x83).unwrap();
        if fields.expect(0x84).unwrap().value != session.challenge {
            return Err(("8.1", "6.1"));
        }
        self.infos.push(fields.expect(0xBF22).unwrap().raw.to_vec());
        let mut context = fields.expect(0xA0).unwrap().inside();
        if context.optional(0x80).unwrap().map(|it| it.value) != Some(b"MATCHING-1") {
            return Err(("8.2.6", "3.8"));
        }
        self.devices.push(context.expect(0xA1).unwrap().raw.to_vec());
        let dppb = self.dppb();
        let mut id = session.id.clone();
        id[0] ^= u8::from(self.is(Wrong::SignedTransaction2));
        let flag = if self.confirmation_code.is_some() { 0xFF } else { 0 };
        let earlier = self
            .ask_for_key
            .as_ref()
            .map(|it| el(0x5F49, it))
            .unwrap_or_default();
        let signed2 = join(0x30, &[&el(0x80, id), &el(0x01, [flag]), &earlier]);
        let mut below = signature.raw.to_vec();
        below[20] ^= u8::from(self.is(Wrong::Signature2OfOtherSession));
        let mut signature2 = dppb.key.sign(&[&signed2, &below]);
        signature2[9] ^= u8::from(self.is(Wrong::Signature2));
        let signature2 = el(0x5F37, signature2);
        self.session = Some(Session {
            chip: Some(chip),
            signature2: signature2.clone(),
            ..session.clone()
        });
        Ok(json!({
            "transactionId": hex::encode(&session.id),
            "profileMetadata": STANDARD.encode(&self.metadata),
            "smdpSigned2": STANDARD.encode(signed2),
            "smdpSignature2": STANDARD.encode(signature2),
            "smdpCertificate": STANDARD.encode(dppb.certificate.der()),
        }))
    }

    fn dppb(&mut self) -> Credential {
        self.credential(
            self.pki.dppb.clone(),
            &Holder::DpPb,
            &[
                (Wrong::PbRole, Flaw::Role(CertificateRole::DpAuth)),
                (Wrong::PbOtherOid, Flaw::SmdpOid("2.999.11".into())),
            ],
        )
    }

    fn bind(&mut self, response: &[u8]) -> Answer {
        let session = self.session.clone().ok_or(("8.10.1", "3.9"))?;
        let chip = session.chip.clone().ok_or(("8.10.1", "3.9"))?;
        let mut ok = tlv::only(response, 0xBF21)
            .unwrap()
            .inside()
            .expect(0xA0)
            .unwrap()
            .inside();
        let signed = ok.expect(0x30).unwrap();
        let signature = ok.expect(0x5F37).unwrap();
        if !verify(
            chip.public_key(),
            &[signed.raw, &session.signature2],
            signature.value,
        ) {
            return Err(("8.1", "6.1"));
        }
        let mut fields = signed.inside();
        if fields.expect(0x80).unwrap().value != session.id {
            return Err(("8.10.1", "3.9"));
        }
        let euicc_key = fields.expect(0x5F49).unwrap().value;
        if !is_on_curve(euicc_key) {
            return Err(("8.1", "6.1"));
        }
        let hash = fields.optional(0x04).unwrap().map(|it| it.value);
        if let Some(code) = &self.confirmation_code {
            match hash {
                None => return Err(("8.2.7", "2.2")),
                Some(hash) if hash != hash_confirmation_code(code, &session.id) => {
                    return Err(("8.2.7", "3.8"));
                }
                Some(_) => {}
            }
        }
        self.used_keys.push(euicc_key.to_vec());
        let package = self.bound(&session.id, euicc_key, &chip);
        Ok(
            json!({"transactionId": hex::encode(&session.id), "boundProfilePackage": STANDARD.encode(package)}),
        )
    }

    fn bound(&mut self, id: &[u8], euicc_key: &[u8], chip: &Certificate) -> Vec<u8> {
        let own = PrivateKey::draw(&mut self.chance);
        let secret = own.agree(euicc_key).unwrap();
        let mut shown = own.public();
        shown[64] ^= u8::from(self.is(Wrong::OffCurveKey));
        let mut id = id.to_vec();
        id[3] ^= u8::from(self.is(Wrong::BppTransaction));
        let key_type = if self.is(Wrong::BppKeyType) { 0x80 } else { 0x88 };
        let operation = if self.is(Wrong::BppOperation) { 2 } else { 1 };
        let control = join(
            0xA6,
            &[&el(0x80, [key_type]), &el(0x81, [0x10]), &el(0x84, b"tests")],
        );
        let below = [el(0x82, [operation]), el(0x80, &id), control, el(0x5F49, shown)].concat();
        let mut signature = self.pki.dppb.key.sign(&[&below, &el(0x5F49, euicc_key)]);
        signature[9] ^= u8::from(self.is(Wrong::SmdpSign));
        let initialise = join(0xBF23, &[&below, &el(0x5F37, signature)]);
        let eid: [u8; 16] = hex::decode(chip.subject_serial().unwrap())
            .unwrap()
            .try_into()
            .unwrap();
        let (chaining, enc, mac) = SecureChannel::derive(&secret, b"tests", &eid).reveal();
        let mut seal = Seal::new(enc, mac, chaining);
        let configure = seal.enciphered(0x87, &[0xBF, 0x24, 0]);
        let metadata = match self.wrong {
            Wrong::OtherMetadata => metadata(&other_iccid(), 0),
            _ => self.metadata.clone(),
        };
        let stored = seal.all(0x88, &metadata, 40).concat();
        let mut replaced = Vec::new();
        if self.replace_keys {
            let keys = join(
                0xBF26,
                &[&el(0x80, [4; 16]), &el(0x81, [5; 16]), &el(0x82, [6; 16])],
            );
            replaced = el(0xA2, seal.enciphered(0x87, &keys));
            seal = Seal::new([5; 16], [6; 16], [4; 16]);
        }
        let mut clear = self.package.clone();
        if self.is(Wrong::NoEnd) {
            clear.truncate(clear.len() - 2);
        }
        let piece = if self.is(Wrong::LongSegments) { 1020 } else { 1007 };
        let mut segments = seal.all(0x86, &clear, piece);
        match self.wrong {
            Wrong::FlippedSegment => segments[1][100] ^= 1,
            Wrong::SwappedSegments => segments.swap(1, 2),
            Wrong::MissingSegment => {
                segments.remove(1);
            }
            _ => {}
        }
        let mut parts = [
            initialise,
            el(0xA0, configure),
            el(0xA1, stored),
            replaced,
            el(0xA3, segments.concat()),
        ]
        .concat();
        if self.is(Wrong::TrailingBytes) {
            parts.extend([0x04, 0]);
        }
        el(0xBF36, parts)
    }

    fn cancel(&mut self, response: &[u8]) -> Answer {
        let session = self.session.take().ok_or(("8.10.1", "3.9"))?;
        let mut ok = tlv::only(response, 0xBF41)
            .unwrap()
            .inside()
            .expect(0xA0)
            .unwrap()
            .inside();
        let signed = ok.expect(0x30).unwrap();
        let signature = ok.expect(0x5F37).unwrap();
        if let Some(chip) = session.chip
            && !verify(chip.public_key(), &[signed.raw], signature.value)
        {
            return Err(("8.1", "6.1"));
        }
        let mut fields = signed.inside();
        assert_eq!(fields.expect(0x80).unwrap().value, session.id);
        assert_eq!(fields.expect(0x81).unwrap().value, [0x88, 0x37, 0x0A]);
        self.cancelled
            .push(fields.expect(0x82).unwrap().number().unwrap());
        Ok(json!({}))
    }

    fn notified(&mut self, der: &[u8]) {
        let outer = tlv::Reader::new(der).next().unwrap().unwrap();
        let mut fields = outer.inside();
        let (signed, about, key) = if outer.tag == 0xBF37 {
            let signed = fields.expect(0xBF27).unwrap();
            let mut data = signed.inside();
            data.expect(0x80).unwrap();
            let key = self.session.as_ref().and_then(|it| it.chip.clone());
            (signed, data.expect(0xBF2F).unwrap(), key)
        } else {
            let signed = fields.expect(0xBF2F).unwrap();
            (signed, signed, None)
        };
        let signature = fields.expect(0x5F37).unwrap();
        let chip = match key {
            Some(chip) => chip,
            None => {
                let (euicc, eum) = (fields.expect(0x30).unwrap(), fields.expect(0x30).unwrap());
                match self.believe(euicc.raw, eum.raw) {
                    Ok(chip) => chip,
                    Err(_) => return self.told.push("disbelieved".into()),
                }
            }
        };
        if !verify(chip.public_key(), &[signed.raw], signature.value) {
            return self.told.push("forged".into());
        }
        let mut about = about.inside();
        let seq = about.expect(0x80).unwrap().number().unwrap();
        let event = match about.expect(0x81).unwrap().bits().unwrap() {
            0x80 => "install",
            0x40 => "enable",
            0x20 => "disable",
            0x10 => "delete",
            other => panic!("event {other:x}"),
        };
        self.told.push(format!("{event}:{seq}"));
    }
}

pub fn iccid() -> Iccid {
    Iccid::parse_without_check("898550123456789012").unwrap()
}

pub fn other_iccid() -> Iccid {
    Iccid::parse_without_check("898550123456789013").unwrap()
}

/// Metadata that wants the server told of enabling, disabling and deleting.
pub fn metadata(iccid: &Iccid, rules: u8) -> Vec<u8> {
    let recipient = join(0x30, &[&bits(0x80, 0x70), &el(0x81, HOST)]);
    join(
        0xBF25,
        &[
            &el(0x5A, iccid.to_bcd()),
            &el(0x91, "Test operator"),
            &el(0x92, "Test profile"),
            &number(0x95, 0),
            &el(0xB6, recipient),
            &if rules == 0 { Vec::new() } else { bits(0x99, rules) },
        ],
    )
}

/// A package with the least that the chip looks at: header with the ICCID, some content, the end.
pub fn package(iccid: &Iccid, filling: usize) -> Vec<u8> {
    let mut packed = [0xFF; 10];
    for (at, digit) in iccid.reveal().bytes().enumerate() {
        let nibble = digit & 15;
        packed[at / 2] = if at % 2 == 0 {
            nibble << 4 | 15
        } else {
            packed[at / 2] & 0xF0 | nibble
        };
    }
    let header = join(0xA0, &[&el(0x80, [2]), &el(0x81, [3]), &el(0x83, packed)]);
    [header, el(0xB0, vec![0x5A; filling]), el(0xAA, [])].concat()
}
