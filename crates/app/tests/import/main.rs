//! An operator's inventory, in and out: every test runs on SQLite, and the same test on PostgreSQL when
//! `SIMWARDEN_TEST_PG` names a server.

mod again;
mod bytes;
mod desk;
mod first;
mod gates;
mod round_trip;
