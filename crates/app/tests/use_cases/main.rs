//! The use cases on a real database.
#![expect(clippy::unwrap_used, reason = "what a test stands on must hold")]

mod accounts;
mod collusion;
mod events;
mod guessing;
mod house;
mod own_orders;
mod privacy;
mod smdp;
#[path = "../kit/soft_key.rs"]
mod soft_key;
mod story;
mod transfer;
