//! The subcommands, one file each.

pub mod bench;
pub mod caller;
pub mod check;
pub mod demo;
pub mod detect;
pub mod euicc;
pub mod export;
pub mod gateway;
pub mod guard_dir;
pub mod identity;
pub mod import;
pub mod ledger;
pub mod link;
pub mod passwords;
pub mod pki;
pub mod policy;
pub mod profile;
pub mod serve;
pub mod token;
pub mod user;
pub mod witness;

/// Sends what the program reports to standard error: words for people, JSON for machines.
pub fn report(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIMWARDEN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,simwarden=info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call, as in tests of several commands in one process, changes nothing.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// Waits for Ctrl-C or a request of the system to end.
pub async fn asked_to_end() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
