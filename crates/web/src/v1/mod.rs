//! The endpoints below `/v1`, one file each: request, handler, description.

pub(crate) mod approval_answer;
pub(crate) mod approval_list;
pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod history;
pub(crate) mod me;
pub(crate) mod operation_ask;
pub(crate) mod operation_decisions;
pub(crate) mod operation_evidence;
pub(crate) mod operation_get;
pub(crate) mod operation_list;
pub(crate) mod operation_proof;
pub(crate) mod operation_receipt;
pub(crate) mod operation_rollback;
pub(crate) mod operation_stop;
pub(crate) mod party_erase;
pub(crate) mod party_retention;
pub(crate) mod party_totp;
pub(crate) mod registry_search;
pub(crate) mod session;
pub(crate) mod stream;
pub(crate) mod token_make;
pub(crate) mod token_revoke;
