//! Identity documents: what is printed on them, what their chip says, and what can and cannot be told from it.
