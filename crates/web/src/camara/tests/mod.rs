//! The gateway as its clients meet it: a real database, the real router, every answer held against the official files
//! where they lie beside the repository.

mod identity;
mod oauth;
mod order;
mod otp;
mod spec;
mod subscriptions;
mod swaps;
mod world;
