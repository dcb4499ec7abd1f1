//! Unprotected profile packages, as an operator imports them.
#![no_main]
use libfuzzer_sys::fuzz_target;
use simwarden_rsp::metadata::ProfileClass;
use simwarden_rsp::profile::{ProfilePackage, Use, lint, remote_key_digests};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(package) = ProfilePackage::parse(bytes) {
        let _ = lint(&package, ProfileClass::Operational, Use::Live, &remote_key_digests(&package));
    }
});
