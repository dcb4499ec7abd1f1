//! Bodies of ES9+ and ES2+, and activation codes.
#![no_main]
use libfuzzer_sys::fuzz_target;
use simwarden_rsp::{ActivationCode, json};

fuzz_target!(|bytes: &[u8]| {
    let _ = json::initiate_authentication(bytes);
    let _ = json::authenticate_client(bytes);
    let _ = json::get_bound_profile_package(bytes);
    let _ = json::cancel_session(bytes);
    let _ = json::handle_notification(bytes);
    let _ = json::download_order(bytes);
    let _ = json::confirm_order(bytes);
    let _ = json::cancel_order(bytes);
    let _ = json::release_profile(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(code) = ActivationCode::parse(text) {
            assert_eq!(ActivationCode::parse(&code.reveal()), Ok(code));
        }
    }
});
