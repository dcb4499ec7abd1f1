//! The use cases on a real database.
#![expect(clippy::unwrap_used, reason = "what a test stands on must hold")]

mod events;
mod house;
mod own_orders;
mod privacy;
mod smdp;
mod story;
mod transfer;
