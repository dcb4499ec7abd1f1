//! What the tests share: seeded entropy, a PKI of our own, a server, and a chip that signs what it is told to.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use cmac::{Cmac, Mac};
use sha2::{Digest, Sha256};
use simwarden_model::{Eid, Entropy, Iccid, ProfileState, Timestamp};
use simwarden_rsp::certificate::{Certificate, Role};
use simwarden_rsp::der::{Tlv, tlv, unsigned};
use simwarden_rsp::initiate::{InitiateAnswer, InitiateRequest};
use simwarden_rsp::key::{Credential, LocalKey, OneTimeKey, Signer};
use simwarden_rsp::metadata::Metadata;
use simwarden_rsp::order::Matching;
use simwarden_rsp::pki::{Spec, issue, key_id};
use simwarden_rsp::{Identity, MatchingId, Order, OrderRef, Prepared, Server};
use std::sync::Arc;
use std::time::Duration;

pub const ADDRESS: &str = "smdp.example.com";
pub const OID: &[u8] = &[0x88, 0x37, 0x0A];
pub const EID: &str = "89049032123451234512345678901235";
pub const OTHER_EID: &str = "89049032123451234512345678901299";
pub const HOST_ID: &[u8] = b"simwarden";

/// Entropy out of a counter and SHA-256: the same for the same seed.
#[derive(Debug)]
pub struct Seed(u64, u64);

impl Seed {
    pub fn new(seed: u64) -> Self {
        Self(seed, 0)
    }
}

impl Entropy for Seed {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let digest = Sha256::digest([self.0.to_be_bytes(), self.1.to_be_bytes()].concat());
            self.1 += 1;
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    time("2026-11-23T12:00:00Z")
}

fn key(seed: u64) -> LocalKey {
    LocalKey::draw(&mut Seed::new(seed))
}

/// A root with a server and a maker of chips under it.
pub struct World {
    pub ci: Certificate,
    pub server: Server,
    pub eum: Certificate,
    eum_key: LocalKey,
}

pub fn spec(role: Role, name: &str, key: &LocalKey) -> Spec<'static> {
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    Spec::new(
        role,
        name,
        key.public(),
        time("2020-01-01T00:00:00Z"),
        time("2060-01-01T00:00:00Z"),
    )
}

impl World {
    pub fn new() -> Self {
        Self::seeded(1)
    }

    pub fn seeded(seed: u64) -> Self {
        let (ci_key, eum_key) = (key(seed * 100), key(seed * 100 + 1));
        let ci =
            Certificate::parse(&issue(&spec(Role::Ci, "Test CI", &ci_key), None, &ci_key).unwrap()).unwrap();
        let credential = |role, seed: u64| {
            let own = key(seed);
            let mut spec = spec(role, "Test SM-DP+", &own);
            spec.smdp_oid = Some(OID);
            let der = issue(&spec, Some(&ci), &ci_key).unwrap();
            Credential::new(Certificate::parse(&der).unwrap(), Arc::new(own)).unwrap()
        };
        let (auth, pb) = (
            credential(Role::DpAuth, seed * 100 + 2),
            credential(Role::DpPb, seed * 100 + 3),
        );
        let identity = Identity::new(ci.clone(), auth, pb).unwrap();
        let server = Server::new(ADDRESS, HOST_ID, vec![identity], Duration::from_secs(600)).unwrap();
        let mut eum = spec(Role::Eum, "Test EUM", &eum_key);
        (eum.organization, eum.eid_range) = (Some("Test EUM"), Some("89049032"));
        let eum = Certificate::parse(&issue(&eum, Some(&ci), &ci_key).unwrap()).unwrap();
        Self {
            ci,
            server,
            eum,
            eum_key,
        }
    }

    pub fn chip(&self, eid: &str, seed: u64) -> Chip {
        let own = key(1_000 + seed);
        let mut spec = spec(Role::Euicc, "Test eUICC", &own);
        spec.organization = Some("Test EUM");
        spec.eid = Some(Box::leak(eid.to_owned().into_boxed_str()));
        let der = issue(&spec, Some(&self.eum), &self.eum_key).unwrap();
        Chip {
            key: own,
            eid: Eid::parse_vouched(eid).unwrap().0,
            certificate: der,
            eum: self.eum.der().to_vec(),
            one_time: OneTimeKey::draw(&mut Seed::new(5_000 + seed)),
            info2: info2(&[]),
            tac: [0x53, 0x92, 0x60, 0x11],
        }
    }

    pub fn initiate_request(&self) -> InitiateRequest {
        let id = tlv(0x04, &[&key_id(self.ci.public_key().point()).0]);
        InitiateRequest {
            smdp_address: ADDRESS.to_owned(),
            euicc_challenge: vec![7; 16],
            euicc_info1: tlv(
                0xBF20,
                &[&[0x82, 3, 2, 2, 2], &tlv(0xA9, &[&id]), &tlv(0xAA, &[&id])],
            ),
        }
    }
}

/// euiccInfo2 with further fields before the last two.
pub fn info2(more: &[u8]) -> Vec<u8> {
    tlv(
        0xBF22,
        &[
            &[0x81, 3, 2, 1, 0, 0x82, 3, 2, 2, 2, 0x83, 3, 1, 2, 3],
            &[0x84, 0x0C, 0x81, 1, 0, 0x82, 4, 0, 0x10, 0, 0, 0x83, 1, 9],
            &[0x85, 2, 0, 0, 0x88, 2, 0, 0x80, 0xA9, 0, 0xAA, 0],
            more,
            &[0x04, 3, 1, 0, 0, 0x0C, 0],
        ],
    )
}

/// A chip: it signs whatever the test puts together.
pub struct Chip {
    pub key: LocalKey,
    pub eid: Eid,
    pub certificate: Vec<u8>,
    pub eum: Vec<u8>,
    pub one_time: OneTimeKey,
    pub info2: Vec<u8>,
    pub tac: [u8; 4],
}

impl Chip {
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        tlv(0x5F37, &[&self.key.sign(message).unwrap()])
    }

    pub fn signed1(&self, answer: &InitiateAnswer, matching_id: Option<&str>) -> Vec<u8> {
        let signed = Tlv::parse(&answer.server_signed1).unwrap();
        let mut fields = signed.inner();
        let transaction = fields.expect(0x80).unwrap().raw;
        fields.expect(0x81).unwrap();
        let (address, challenge) = (fields.expect(0x83).unwrap().raw, fields.expect(0x84).unwrap().raw);
        let id = matching_id
            .map(|id| tlv(0x80, &[id.as_bytes()]))
            .unwrap_or_default();
        let device = tlv(0xA1, &[&tlv(0x80, &[&self.tac]), &[0xA1, 0]]);
        let context = tlv(0xA0, &[&id, &device]);
        tlv(0x30, &[transaction, address, challenge, &self.info2, &context])
    }

    pub fn authenticate_signed(&self, signed1: &[u8]) -> Vec<u8> {
        let parts = [signed1, &self.sign(signed1), &self.certificate, &self.eum];
        tlv(0xBF38, &[&tlv(0xA0, &parts)])
    }

    pub fn authenticate(&self, answer: &InitiateAnswer, matching_id: Option<&str>) -> Vec<u8> {
        self.authenticate_signed(&self.signed1(answer, matching_id))
    }

    pub fn prepare_with(
        &self,
        transaction: &[u8],
        smdp_signature2: &[u8],
        point: &[u8],
        hash: Option<[u8; 32]>,
    ) -> Vec<u8> {
        let hash = hash.map(|hash| tlv(0x04, &[&hash])).unwrap_or_default();
        let signed = tlv(0x30, &[&tlv(0x80, &[transaction]), &tlv(0x5F49, &[point]), &hash]);
        let signature = self.sign(&[&signed[..], smdp_signature2].concat());
        tlv(0xBF21, &[&tlv(0xA0, &[&signed, &signature])])
    }

    pub fn prepare(&self, transaction: &[u8; 16], smdp_signature2: &[u8], code: Option<&str>) -> Vec<u8> {
        let hash = code.map(|code| {
            let inner = Sha256::digest(code.as_bytes());
            Sha256::digest([&inner[..], transaction].concat()).into()
        });
        self.prepare_with(transaction, smdp_signature2, self.one_time.public(), hash)
    }

    pub fn install_result(
        &self,
        transaction: &[u8; 16],
        iccid: &Iccid,
        sequence: u32,
        error: Option<u32>,
    ) -> Vec<u8> {
        let head = self.head(0x80, 7, Some(iccid), sequence);
        let result = match error {
            None => tlv(0xA0, &[&[0x4F, 1, 1], &[0x04, 1, 0]]),
            Some(reason) => tlv(0xA1, &[&[0x80, 1, 5], &tlv(0x81, &[&unsigned(reason)])]),
        };
        let signed = tlv(
            0xBF27,
            &[
                &tlv(0x80, &[transaction]),
                &head,
                &tlv(0x06, &[OID]),
                &tlv(0xA2, &[&result]),
            ],
        );
        tlv(0xBF37, &[&signed, &self.sign(&signed)])
    }

    fn head(&self, event: u8, unused: u8, iccid: Option<&Iccid>, sequence: u32) -> Vec<u8> {
        let iccid = iccid.map(|it| tlv(0x5A, &[&it.to_bcd()])).unwrap_or_default();
        tlv(
            0xBF2F,
            &[
                &tlv(0x80, &[&unsigned(sequence)]),
                &[0x81, 2, unused, event],
                &tlv(0x0C, &[ADDRESS.as_bytes()]),
                &iccid,
            ],
        )
    }

    pub fn other(&self, event: u8, iccid: &Iccid, sequence: u32) -> Vec<u8> {
        let unused = u8::try_from(event.trailing_zeros()).unwrap();
        let signed = self.head(event, unused, Some(iccid), sequence);
        tlv(
            0x30,
            &[&signed, &self.sign(&signed), &self.certificate, &self.eum],
        )
    }

    pub fn cancel(&self, transaction: &[u8; 16], oid: &[u8], reason: u8) -> Vec<u8> {
        let signed = tlv(
            0x30,
            &[&tlv(0x80, &[transaction]), &tlv(0x81, &[oid]), &[0x82, 1, reason]],
        );
        tlv(0xBF41, &[&tlv(0xA0, &[&signed, &self.sign(&signed)])])
    }

    /// Opens a bound package as a chip does: every signature, MAC and length; returns metadata and profile.
    pub fn open(&self, package: &[u8], dp_pb: &Certificate) -> (Vec<u8>, Vec<u8>) {
        simwarden_rsp::package::check_form(package).unwrap();
        let mut parts = Tlv::parse_as(package, 0xBF36).unwrap().inner();
        let initialise = parts.expect(0xBF23).unwrap();
        let mut fields = initialise.inner();
        let own: Vec<_> = [0x82, 0x80, 0xA6, 0x5F49]
            .map(|tag| fields.expect(tag).unwrap())
            .to_vec();
        let signature = fields.expect(0x5F37).unwrap();
        let mut message: Vec<u8> = own.iter().flat_map(|it| it.raw).copied().collect();
        message.extend(tlv(0x5F49, &[self.one_time.public()]));
        assert!(dp_pb.public_key().verify(&message, signature.value));
        let peer =
            simwarden_rsp::curve::PublicKey::parse(simwarden_rsp::curve::Curve::P256, own[3].value).unwrap();
        let secret = self.one_time.agree(&peer).unwrap();
        let mut host = own[2].inner();
        let host_id = host.find(0x84).unwrap().unwrap().value;
        let mut info = vec![0x88, 0x10, u8::try_from(host_id.len()).unwrap()];
        info.extend(host_id);
        info.push(16);
        info.extend(
            self.eid
                .reveal()
                .as_bytes()
                .chunks(2)
                .map(|it| (it[0] & 15) << 4 | (it[1] & 15)),
        );
        let block = |count: u32| Sha256::digest([&secret[..], &count.to_be_bytes(), &info].concat());
        let stream = [block(1), block(2)].concat();
        let mut channel = Opener::new(&stream[..16], &stream[16..32], &stream[32..48]);
        assert_eq!(channel.open(parts.expect(0xA0).unwrap()), [0xBF, 0x24, 0]);
        let metadata = channel.open(parts.expect(0xA1).unwrap());
        let keys = channel.open(parts.expect(0xA2).unwrap());
        let mut keys = Tlv::parse_as(&keys, 0xBF26).unwrap().inner();
        let keys = [0x80, 0x81, 0x82].map(|tag| keys.expect(tag).unwrap().value.to_vec());
        let profile = Opener::new(&keys[0], &keys[1], &keys[2]).open(parts.expect(0xA3).unwrap());
        (metadata, profile)
    }
}

/// The chip's side of a secure channel, written apart from the server's.
pub struct Opener {
    mcv: Vec<u8>,
    enc: [u8; 16],
    mac: [u8; 16],
    count: u128,
}

impl Opener {
    pub fn new(mcv: &[u8], enc: &[u8], mac: &[u8]) -> Self {
        Self {
            mcv: mcv.to_vec(),
            enc: enc.try_into().unwrap(),
            mac: mac.try_into().unwrap(),
            count: 1,
        }
    }

    pub fn open(&mut self, part: Tlv<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut segments = part.inner();
        while !segments.is_empty() {
            let segment = segments.read().unwrap();
            let (body, mac) = segment.raw.split_at(segment.raw.len() - 8);
            let mut cmac = <Cmac<Aes128> as KeyInit>::new(&self.mac.into());
            cmac.update(&self.mcv);
            cmac.update(body);
            self.mcv = cmac.finalize().into_bytes().to_vec();
            assert_eq!(mac, &self.mcv[..8], "the MAC of a segment");
            let mut text = segment.value[..segment.value.len() - 8].to_vec();
            if segment.tag != 0x88 {
                let mut iv = self.count.to_be_bytes().into();
                Aes128::new(&self.enc.into()).encrypt_block(&mut iv);
                let mut cbc = cbc::Decryptor::<Aes128>::new(&self.enc.into(), &iv);
                for chunk in text.chunks_exact_mut(16) {
                    cbc.decrypt_block(<&mut [u8; 16]>::try_from(chunk).unwrap().into());
                }
                let end = text.iter().rposition(|byte| *byte != 0).unwrap();
                assert_eq!(text[end], 0x80, "the padding of a segment");
                text.truncate(end);
            }
            self.count += 1;
            out.extend(text);
        }
        out
    }
}

pub const MATCHING_ID: &str = "04386-AGYFT-A74Y8-3F815";

/// A released order for any chip.
pub fn order(eid: Option<Eid>) -> Order {
    let iccid = Iccid::parse("8949449999999990155").unwrap();
    let metadata = Metadata::new(iccid, "Operator", "Profile", ADDRESS)
        .to_der()
        .unwrap();
    let mut order = Order::in_stock(
        OrderRef([9; 16]),
        iccid,
        "prepaid".to_owned(),
        "operator".to_owned(),
        metadata,
    );
    order.state = ProfileState::Released;
    order.matching = Matching::Id(MatchingId::parse(MATCHING_ID).unwrap());
    order.eid = eid;
    order
}

pub fn profile() -> Vec<u8> {
    (0..3000_u32).map(|it| u8::try_from(it % 251).unwrap()).collect()
}

pub fn prepared() -> Prepared {
    Prepared::make(&profile(), &mut Seed::new(77))
}
