//! An operator's inventory, in and out: every test runs on SQLite, and the same test on PostgreSQL when
//! `SIMWARDEN_TEST_PG` names a server.
#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

mod again;
mod bytes;
mod desk;
mod first;
mod gates;
mod round_trip;
