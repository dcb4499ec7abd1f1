//! Published and recorded known answers, byte for byte, where the functions they need are private.

use crate::curve::{Curve, PublicKey};
use crate::der::Tlv;
use crate::kdf::SegmentKeys;
use crate::key::OneTimeKey;
use crate::package::{Prepared, bind_in_parts, channel_to_sign};
use crate::session::TransactionId;
use crate::testkit::{point_of, shared};
use simwarden_model::Eid;

fn unhex(text: &str) -> Vec<u8> {
    let nibble = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes()
        .chunks(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

fn eid() -> Eid {
    Eid::parse("89049032123451234512345678901235").unwrap()
}

/// The first values of the encoder's known answer stand here, so that it means something without the data.
#[test]
fn agrees_derives_and_protects_as_the_known_answer_says() {
    let ours = OneTimeKey::from_scalar(&[0x11; 32]).unwrap();
    let theirs = PublicKey::parse(Curve::P256, &point_of(&[0x22; 32])).unwrap();
    let secret = ours.agree(&theirs).unwrap();
    assert_eq!(
        secret[..],
        unhex("ccfc261f58193c98ca4ad4a53bbac6f0ee29bc4d48438090446908622ca79af6")
    );
    let keys = crate::kdf::session_keys(&secret, b"refsmdp1", &eid());
    assert_eq!(keys.mcv, bytes("f6e3be1b11e1acbdf1b96b555269f9c5"));
    assert_eq!(keys.enc, bytes("3456d4f9938461c8ac379803dd46c763"));
    assert_eq!(keys.mac, bytes("bd6a5176a5c805684606ceb3fb1a254d"));
    let mut segment = Vec::new();
    crate::bsp::Channel::new(keys).encrypt(&mut segment, 0x87, &[0xBF, 0x24, 0x00]);
    assert_eq!(
        segment,
        unhex("871847e9d0707711a0f7bb278dfd75fef981768c6651455354b5")
    );
    let zero = SegmentKeys {
        mcv: [0; 16],
        enc: [0; 16],
        mac: [0; 16],
    };
    segment.clear();
    crate::bsp::Channel::new(zero).encrypt(&mut segment, 0x86, &[]);
    assert_eq!(segment.len(), 2 + 16 + 8, "an empty payload makes one segment");
}

#[test]
fn the_whole_bound_package_is_the_known_one() {
    let Some(vector) = shared("vectors/bpp-kat.json") else {
        return;
    };
    let vector: serde_json::Value = serde_json::from_slice(&vector).unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    let Some(profile) = shared(&format!("ts48/{}", text("uppFile"))) else {
        return;
    };
    assert_eq!(vector["uppLength"], profile.len());
    let ppk = |name: &str| bytes(vector["ppk"][name].as_str().unwrap());
    let keys = SegmentKeys {
        mcv: ppk("mcv"),
        enc: ppk("enc"),
        mac: ppk("mac"),
    };
    let prepared = Prepared::with_keys([0; 16], keys, &profile);
    let stored = prepared.to_bytes();
    let prepared = Prepared::from_bytes(&stored).unwrap();
    let ours = OneTimeKey::from_scalar(&bytes(text("otSkDp"))).unwrap();
    assert_eq!(ours.public()[..], unhex(text("otPkDp")));
    let theirs = PublicKey::parse(Curve::P256, &unhex(text("otPkEuicc"))).unwrap();
    let host_id = unhex(text("hostId"));
    let metadata = unhex(text("metadata"));
    let part = usize::try_from(vector["metadataChunk"].as_u64().unwrap()).unwrap();
    let binding = bind_in_parts(&ours, &theirs, &host_id, &eid(), &metadata, part, &prepared).unwrap();
    assert_eq!(
        binding.head,
        [unhex(text("A0")), unhex(text("A1")), unhex(text("A2"))].concat()
    );
    let transaction = TransactionId::new(bytes(text("transactionId")));
    let message = channel_to_sign(&host_id, &transaction, ours.public(), theirs.point());
    assert_eq!(message, unhex(text("smdpSignInput")));

    // The segments as the vector lists them: first, lengths, and the digest or bytes of all of them.
    let whole = stored_segments(&stored);
    let mut segments = crate::der::Reader::new(&whole);
    let mut lengths = Vec::new();
    while !segments.is_empty() {
        let segment = segments.read().unwrap();
        if lengths.is_empty() {
            assert_eq!(segment.raw, unhex(text("firstSegment")));
        }
        lengths.push(segment.raw.len());
    }
    let expected: Vec<usize> = serde_json::from_value(vector["segmentLengths"].clone()).unwrap();
    assert_eq!(lengths, expected);
    assert!(whole.ends_with(&unhex(text("lastSegment"))));
    let a3 = crate::der::tlv(0xA3, &[&whole]);
    assert_eq!(crate::effect::digest(&a3)[..], unhex(text("A3sha256")));
}

fn stored_segments(stored: &[u8]) -> Vec<u8> {
    crate::der::Reader::new(stored)
        .find(0x30)
        .unwrap()
        .unwrap()
        .value
        .to_vec()
}

/// The package of another implementation's session, without A2: every byte but the signature is computed anew.
#[test]
fn a_whole_recorded_session_is_reproduced() {
    let session = |name: &str| shared(&format!("vectors/session/{name}"));
    let Some(package) = session("bound-profile-package.der") else {
        return;
    };
    let one_time = OneTimeKey::from_scalar(&session("otsk-dp.bin").unwrap().try_into().unwrap()).unwrap();
    let transaction = TransactionId::new(session("transaction-id.bin").unwrap().try_into().unwrap());

    // serverSigned1 and smdpSigned2, the bytes that were signed.
    let initiate = session("initiate-response.der").unwrap();
    let mut fields = Tlv::parse(&initiate).unwrap().inner();
    fields.expect(0x80).unwrap();
    let expected = fields.expect(0x30).unwrap();
    let signed1 = crate::initiate::server_signed1(
        &transaction,
        &session("euicc-challenge.bin").unwrap().try_into().unwrap(),
        "smdp.example.com",
        &session("server-challenge.bin").unwrap().try_into().unwrap(),
    );
    assert_eq!(signed1, expected.raw);
    let answer = session("authenticate-response.der").unwrap();
    let mut fields = Tlv::parse(&answer).unwrap().inner().expect(0xA0).unwrap().inner();
    let (_, metadata) = (fields.expect(0x80).unwrap(), fields.expect(0xBF25).unwrap().raw);
    assert_eq!(metadata, session("store-metadata.der").unwrap());
    let signed2 = fields.expect(0x30).unwrap().raw;
    assert_eq!(
        crate::authenticate::smdp_signed2(&transaction, false, None),
        signed2
    );

    // The chip's one-time key out of its signed answer, and the package.
    let prepare = session("prepare-download-response.der").unwrap();
    let mut fields = Tlv::parse(&prepare)
        .unwrap()
        .inner()
        .expect(0xA0)
        .unwrap()
        .inner();
    let mut signed = fields.expect(0x30).unwrap().inner();
    signed.expect(0x80).unwrap();
    let theirs = PublicKey::parse(Curve::P256, signed.expect(0x5F49).unwrap().value).unwrap();
    let secret = one_time.agree(&theirs).unwrap();
    assert_eq!(
        secret[..],
        unhex("79696dc34351dfc7758b07baf66643f01d7d8f5ab976c51d5f2c42ab71f5a6c3")
    );
    let host_id = unhex("65756963632d727370");
    let keys = crate::kdf::session_keys(&secret, &host_id, &eid());
    assert_eq!(keys.mcv, bytes("9a8d4dc5d8c2ba3fccbb7f69036fd09f"));
    let mut parts = Tlv::parse_as(&package, 0xBF36).unwrap().inner();
    let initialise = parts.expect(0xBF23).unwrap();
    let message = channel_to_sign(&host_id, &transaction, one_time.public(), theirs.point());
    assert!(message.starts_with(&initialise.value[..initialise.value.len() - 67]));
    let mut channel = crate::bsp::Channel::new(keys);
    let mut made = Vec::new();
    channel.encrypt(&mut made, 0x87, &[0xBF, 0x24, 0x00]);
    assert_eq!(parts.expect(0xA0).unwrap().value, made);
    made.clear();
    channel.authenticate(&mut made, 0x88, metadata, crate::PLAIN_PAYLOAD_BYTES_MAX);
    assert_eq!(parts.expect(0xA1).unwrap().value, made);
    made.clear();
    channel.encrypt(&mut made, 0x86, &session("upp.der").unwrap());
    assert_eq!(parts.expect(0xA3).unwrap().value, made);
}

#[test]
fn agrees_as_nist_says() {
    let Some(vector) = shared("vectors/nist/ecdh-p256.txt") else {
        return;
    };
    let text = String::from_utf8(vector).unwrap();
    // Scalar, uncompressed point, shared x coordinate.
    let [scalar, point, secret] = [0, 1, 2].map(|at| unhex(text.lines().nth(at).unwrap().trim()));
    let key = OneTimeKey::from_scalar(&scalar.try_into().unwrap()).unwrap();
    let peer = PublicKey::parse(Curve::P256, &point).unwrap();
    assert_eq!(key.agree(&peer).unwrap()[..], secret);
}
