//! Rule files: cut into documents, checked, compiled. Nothing here looks at events.

pub(crate) mod cases;
pub(crate) mod check;
pub(crate) mod correlation;
pub(crate) mod detection;
pub(crate) mod document;
pub(crate) mod info;
pub(crate) mod load;
pub(crate) mod matcher;
