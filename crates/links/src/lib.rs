//! The ways out of simwarden: implements the ports of `app` over real connections.
//!
//! **Architecture invariant:** only this crate opens connections outwards. Every one has a time limit, every answer a
//! size limit, and no redirect is followed.

mod cosigner;
mod event_sink;
mod http;
mod journal;
mod log_fetch;
mod operator;

pub use cosigner::HttpCosigner;
pub use event_sink::HttpSink;
pub use http::BadAddress;
pub use journal::Journal;
pub use log_fetch::HttpFetch;
pub use operator::{BadIdentity, ClientIdentity, OperatorCalls};
