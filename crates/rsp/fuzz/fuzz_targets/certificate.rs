//! Certificates, and what they may permit.
#![no_main]
use libfuzzer_sys::fuzz_target;
use simwarden_rsp::certificate::Certificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::parse(bytes) {
        assert_eq!(certificate.der(), bytes);
        let _ = (certificate.is_self_signed(), certificate.permits_chip(&certificate));
    }
});
