//! Passive authentication against OpenSSL's verdicts, and against a country made for the test with the `openssl`
//! command.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use simwarden_identity::documents::chip::{ChipError, Sod, Trust};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of this test's own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chip-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }
    /// Runs the command in the folder; whether it succeeded.
    fn openssl(&self, arguments: &str) -> bool {
        let words = arguments.split(' ');
        let output = Command::new("openssl")
            .args(words)
            .current_dir(&self.0)
            .output()
            .unwrap();
        output.status.success()
    }
    fn must(&self, arguments: &str) {
        assert!(self.openssl(arguments), "openssl {arguments}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..128 => out.push(u8::try_from(n).unwrap()),
        n => {
            out.push(0x82);
            out.extend(u16::try_from(n).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

#[test]
fn the_verdict_on_public_vectors_is_openssls() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/emrtd");
    if !vectors.is_dir() {
        println!("the public vectors are not here: nothing compared");
        return;
    }
    let folder = Folder::new("vectors");
    let mut verified = Vec::new();
    for number in 0..15 {
        let file = fs::read(vectors.join(format!("sod-{number:02}.bin"))).unwrap();
        // The message begins after the outer tag 77 with its three bytes of length.
        fs::write(folder.file("message"), &file[4..]).unwrap();
        let theirs = folder.openssl("cms -verify -noverify -binary -inform DER -in message -out content");
        let ours = Sod::read(&file);
        println!("{number}: {:?}", ours.as_ref().err());
        assert_eq!(ours.is_ok(), theirs, "vector {number}");
        if let Ok(sod) = ours {
            verified.push(number);
            let empty = Trust::default();
            let judged = sod.passive_auth(&[], &empty, Timestamp::UNIX_EPOCH);
            assert_eq!(judged, Err(ChipError::UnknownAuthority));
        }
        // One flipped bit anywhere in the signed content or in the signature is seen.
        if theirs {
            // Where the message ends; one vector has a byte behind it, which OpenSSL does not mind.
            let end = 8 + usize::from(u16::from_be_bytes([file[6], file[7]]));
            for at in (70..275).chain(end - 256..end) {
                let mut other = file.clone();
                other[at] ^= 1;
                assert!(
                    Sod::read(&other).is_err(),
                    "vector {number}: byte {at} may change unseen"
                );
            }
        }
    }
    assert_eq!(verified, [0, 1, 5, 6, 7, 11]);
}

/// A country with a signer and a signed document, by a kind of key and of signature.
fn country(folder: &Folder, key: &str, options: &str) -> (Vec<u8>, Vec<u8>) {
    fs::write(
        folder.file("ext"),
        "[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\nkeyUsage=keyCertSign,cRLSign\n\
         [ds]\nauthorityKeyIdentifier=keyid\nkeyUsage=digitalSignature\n\
         [ca_default]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n\
         [set]\ndefault_ca=ca_default\n",
    )
    .unwrap();
    fs::write(folder.file("index.txt"), "").unwrap();
    fs::write(folder.file("number"), "01\n").unwrap();
    for name in ["ca", "ds", "other"] {
        folder.must(&format!("genpkey {key} -out {name}.key"));
    }
    let subject = |name: &str| format!("-subj /C=KH/O=Test/CN={name}");
    for (name, subject_name) in [("ca", "Country"), ("other", "Country")] {
        folder.must(&format!(
            "req -new -key {name}.key {} -out {name}.csr",
            subject(subject_name)
        ));
        folder.must(&format!(
            "x509 -req -in {name}.csr -signkey {name}.key -days 3000 -sha256 -extfile ext -extensions ca -set_serial 7 \
             -outform PEM -out {name}.pem"
        ));
        folder.must(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
    }
    folder.must(&format!("req -new -key ds.key {} -out ds.csr", subject("Signer")));
    folder.must(
        "x509 -req -in ds.csr -CA ca.pem -CAkey ca.key -days 100 -sha256 -extfile ext -extensions ds -set_serial 99 \
         -out ds.pem",
    );
    let dg1 = b"\x61\x5dmachine-readable zone".to_vec();
    let sha256 = [
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    ];
    let entry = der(0x30, &[vec![2, 1, 1], der(4, &Sha256::digest(&dg1))].concat());
    let object = der(
        0x30,
        &[vec![2, 1, 0], sha256.to_vec(), der(0x30, &entry)].concat(),
    );
    fs::write(folder.file("object"), object).unwrap();
    folder.must(&format!(
        "cms -sign -binary -nodetach -nosmimecap -econtent_type 2.23.136.1.1.1 -md sha256 -signer ds.pem -inkey ds.key \
         {options} -in object -outform DER -out sod.der"
    ));
    (folder.read("sod.der"), dg1)
}

fn now() -> Timestamp {
    let seconds = Command::new("date").arg("+%s").output().unwrap().stdout;
    let seconds: i64 = String::from_utf8(seconds).unwrap().trim().parse().unwrap();
    Timestamp::from_second(seconds + 60).unwrap()
}

#[test]
fn every_kind_of_signature_of_states_is_checked() {
    for (name, key, options) in [
        ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", ""),
        (
            "pss",
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32",
        ),
        ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", ""),
        ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", ""),
        ("p521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", ""),
        (
            "bp256",
            "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
            "",
        ),
        (
            "bp384",
            "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP384r1",
            "",
        ),
        (
            "explicit",
            "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1 -pkeyopt ec_param_enc:explicit",
            "",
        ),
    ] {
        let folder = Folder::new(name);
        let options = options
            .split(' ')
            .filter(|o| !o.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let options = if options.is_empty() {
            "-nosmimecap".to_owned()
        } else {
            options
        };
        let (sod, dg1) = country(&folder, key, options.as_str());
        let mut trust = Trust::default();
        trust.add_authority(&folder.read("ca.der")).unwrap();
        let read = Sod::read(&sod).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.groups(), Ok(vec![1]));
        assert_eq!(read.passive_auth(&[(1, &dg1)], &trust, now()), Ok(()), "{name}");
    }
}

#[test]
fn everything_that_speaks_against_a_chip_has_its_own_reason() {
    let folder = Folder::new("reasons");
    let (sod, dg1) = country(
        &folder,
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-nosmimecap",
    );
    let mut trust = Trust::default();
    trust.add_authority(&folder.read("ca.der")).unwrap();
    let read = Sod::read(&sod).unwrap();
    let at = now();
    let groups: [(u8, &[u8]); 1] = [(1, &dg1)];
    assert_eq!(read.passive_auth(&groups, &trust, at), Ok(()));

    let mut changed = dg1.clone();
    changed[5] ^= 1;
    assert_eq!(
        read.passive_auth(&[(1, &changed)], &trust, at),
        Err(ChipError::GroupAltered(1))
    );
    assert_eq!(
        read.passive_auth(&[(2, &dg1)], &trust, at),
        Err(ChipError::GroupUnknown(2))
    );

    let mut altered = sod.clone();
    let hash = Sha256::digest(&dg1);
    let place = sod
        .windows(32)
        .position(|window| window == hash.as_slice())
        .unwrap();
    altered[place] ^= 1;
    assert_eq!(Sod::read(&altered).err(), Some(ChipError::ContentAltered));
    let mut altered = sod.clone();
    // The last byte is the end of the signature.
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert_eq!(Sod::read(&altered).err(), Some(ChipError::Signature));
    assert_eq!(Sod::read(&sod[..last]).err(), Some(ChipError::Malformed));
    assert_eq!(Sod::read(b"").err(), Some(ChipError::Malformed));

    assert_eq!(
        read.passive_auth(&groups, &Trust::default(), at),
        Err(ChipError::UnknownAuthority)
    );
    let day = 24 * 3600;
    let later = |days: i64| Timestamp::from_second(at.as_second() + days * day).unwrap();
    assert_eq!(
        read.passive_auth(&groups, &trust, later(200)),
        Err(ChipError::SignerExpired)
    );
    assert_eq!(
        read.passive_auth(&groups, &trust, later(-200)),
        Err(ChipError::AuthorityExpired)
    );
    assert_eq!(
        read.passive_auth(&groups, &trust, later(4000)),
        Err(ChipError::AuthorityExpired)
    );

    // The same name, another key: an authority that somebody made himself.
    let mut wrong = Trust::default();
    wrong.add_authority(&folder.read("other.der")).unwrap();
    assert_eq!(
        read.passive_auth(&groups, &wrong, at),
        Err(ChipError::UnknownAuthority)
    );

    let list = |serial: &str, name: &str| {
        fs::write(
            folder.file("index.txt"),
            format!("R\t350101000000Z\t250101000000Z\t{serial}\tunknown\t/CN=x\n"),
        )
        .unwrap();
        folder.must(&format!(
            "ca -config ext -name ca_default -gencrl -keyfile {name}.key -cert {name}.pem -out list.pem"
        ));
        folder.must("crl -in list.pem -outform DER -out list.der");
        folder.read("list.der")
    };
    trust.add_list(&list("63", "other")).unwrap();
    assert_eq!(
        read.passive_auth(&groups, &trust, at),
        Ok(()),
        "a list that the country did not sign"
    );
    trust.add_list(&list("63", "ca")).unwrap();
    assert_eq!(
        read.passive_auth(&groups, &trust, at),
        Err(ChipError::SignerRevoked)
    );
    trust.add_list(&list("07", "ca")).unwrap();
    assert_eq!(
        read.passive_auth(&groups, &trust, at),
        Err(ChipError::AuthorityRevoked)
    );

    assert_eq!(
        trust.add_authority(b"no certificate"),
        Err(ChipError::Certificate)
    );
    assert_eq!(trust.add_list(&sod), Err(ChipError::Certificate));
    // A signer's certificate is no authority.
    folder.must("x509 -in ds.pem -outform DER -out ds.der");
    assert_eq!(
        trust.add_authority(&folder.read("ds.der")),
        Err(ChipError::Certificate)
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Sod::read(&bytes);
        let mut framed = vec![0x77, 0x82, 0x00, 0xc8, 0x30, 0x82, 0x00, 0xc4];
        framed.extend(&bytes);
        let _ = Sod::read(&framed);
        let _ = Trust::default().add_authority(&bytes);
    }
}
