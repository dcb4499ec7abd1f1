//! What chips and operators send: notifications, euiccInfo1, metadata, bound packages, prepared packages.
#![no_main]
use libfuzzer_sys::fuzz_target;
use simwarden_rsp::metadata::Metadata;
use simwarden_rsp::{EuiccInfo1, Prepared, notification, package};

fuzz_target!(|bytes: &[u8]| {
    let _ = notification::read(bytes);
    let _ = EuiccInfo1::parse(bytes);
    let _ = package::check_form(bytes);
    let _ = Prepared::from_bytes(bytes);
    if let Ok(metadata) = Metadata::parse(bytes) {
        if let Ok(written) = metadata.to_der() {
            assert_eq!(Metadata::parse(&written).as_ref(), Ok(&metadata));
        }
    }
});
