//! What is read is what would be written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use simwarden_rsp::der::{Tlv, check_tree, tlv};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Tlv::parse(bytes) {
        assert_eq!(tlv(read.tag, &[read.value]), bytes);
        let _ = check_tree(&read);
        let _ = (read.unsigned(), read.text());
    }
});
