//! The chip against a server, devices, published vectors and hostile bytes.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail by panicking, in its helpers too"
)]

mod apdus;
mod certificates;
mod chance;
mod downloads;
mod faults;
mod hostile;
mod lpac;
mod profiles;
mod seal;
mod server;
mod server_wrongs;
mod vectors;
mod world;
