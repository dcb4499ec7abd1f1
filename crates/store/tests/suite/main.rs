//! The store's suite: every test runs on SQLite, and the same test on PostgreSQL when `SIMWARDEN_TEST_PG` names a
//! server (`scripts/postgres.sh run cargo test -p simwarden-store`).

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests panic where they cannot go on, and their numbers are small"
)]

mod commit;
mod concurrency;
mod ledger;
mod lists;
mod records;
mod refusals;
mod samples;
mod smdp;
mod test_db;
