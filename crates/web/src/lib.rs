//! The HTTP edge of simwarden: it turns requests into calls of use cases and their answers into HTTP.
//!
//! It knows routes, bodies, sessions, problem details, the live stream, the files of the log and the built pages. It
//! decides nothing about lines or operations, and knows no SQL.
//!
//! **Architecture invariants:** no route exists without its row in [`access::TABLE`] (the SM-DP+'s listener:
//! [`access::ES9PLUS_TABLE`], operators' systems: [`access::ES2PLUS_TABLE`]), and no handler learns who asks before
//! that row has let them through. Nothing that a client sends can make an answer of 500. No body, query,
//! token or identifier is written to the log. What is repeated from a request in an error is the name of a field,
//! never its value.

pub mod access;
pub mod account_shapes;
mod assets;
mod auth;
mod body;
pub mod camara;
mod deny;
mod edge;
mod es2plus;
mod es9plus;
mod health;
mod input;
mod ledger_files;
mod limits;
mod metrics;
mod openapi;
mod problem;
mod receipts;
mod routes;
mod serve;
pub mod shapes;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod v1;
mod witness;

pub use camara::{gateway_router, sandbox_router};
pub use es2plus::{Es2Limits, es2plus_router};
pub use es9plus::{Es9Limits, es9plus_router};
pub use limits::WebLimits;
pub use openapi::openapi_json;
pub use problem::Problem;
pub use receipts::{ProofParts, ReceiptError, Receipts, Soon};
pub use routes::router;
pub use serve::{Listening, ServeError, ServeLimits, mutual_tls_config, tls_config};
pub use state::{LogView, WebConfig, WebState};
pub use witness::witness_router;
