//! One file for each function of the chip, named after it.

pub(crate) mod addresses;
pub(crate) mod authenticate;
pub(crate) mod cancel;
pub(crate) mod challenge;
pub(crate) mod delete;
pub(crate) mod disable;
pub(crate) mod eid;
pub(crate) mod enable;
pub(crate) mod info;
pub(crate) mod list_profiles;
pub(crate) mod load;
pub(crate) mod load_effects;
pub(crate) mod nickname;
pub(crate) mod notifications;
pub(crate) mod prepare;
pub(crate) mod rat;
pub(crate) mod reset;
pub(crate) mod select;
