//! The edge as a whole, on a real database: nothing is simulated but the log's receipts.

mod access;
mod accounts;
mod es9plus;
mod events;
mod input;
mod openapi;
pub(crate) mod row;
mod sockets;
#[path = "../../../app/tests/kit/soft_key.rs"]
mod soft_key;
mod story;
mod stream;
mod tricks;
mod world;
