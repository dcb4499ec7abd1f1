//! The ledger seen from outside.

mod audit;
mod interop;
mod parsers;
mod tree;
mod trust;
mod witness;
mod world;
