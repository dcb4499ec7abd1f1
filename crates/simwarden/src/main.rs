//! The one binary of simwarden: subcommands, configuration, the wiring of roles; nothing else.

mod commands;
mod gateway;
mod house;
mod policies;
mod server;
mod smdp;
mod stage;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Imports and busy servers allocate much and briefly, in many threads: measured, an import of a million rows is half
/// as long again with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps every eSIM with its rightful owner.
#[derive(Parser)]
#[command(version, about, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server: API, console, ledger and the worker that carries effects out
    Serve(Box<commands::serve::Serve>),
    /// Make a small invented country, start the server and play honest life and six thefts through the real API
    Demo(commands::demo::Demo),
    /// Take in an operator's inventory, all or nothing
    Import(commands::import::Import),
    /// Write an operator's registry back, in the columns of the import
    Export(commands::export::Export),
    /// Make and take back access tokens
    Token(commands::token::Token),
    /// Accounts of people: invitations, passkeys, sessions
    User(commands::user::User),
    /// Register, freeze and list the clients of the Open Gateway
    Gateway(commands::gateway::GatewayCommand),
    /// Profiles, download orders and freezes of the SM-DP+
    Profile(commands::profile::Profile),
    /// Make certificates and keys for an SM-DP+ and simulated chips
    Pki(commands::pki::Pki),
    /// Run a simulated chip on standard input and output, for `lpac`
    Euicc(commands::euicc::Euicc),
    /// Read identity documents: machine-readable zones, chips; check passwords
    Identity(commands::identity::Identity),
    /// Check, test, explain, compare and back-test rule packs
    Policy(commands::policy::Policy),
    /// Run events through detection rules; check rules and their test events
    Detect(commands::detect::Detect),
    /// Verify, prove, check and mirror the ledger
    Ledger(commands::ledger::Ledger),
    /// Check a link, a phone or an app for a subscriber
    Check(commands::check::Check),
    /// Import lists of reported addresses, train the model of the link check
    Link(commands::link::Link),
    /// Watch a folder: suspicious app packages are reported and, if asked, moved away
    GuardDir(commands::guard_dir::GuardDir),
    /// Run a witness: cosign a log's checkpoints, refuse rollback and split views
    Witness(commands::witness::Witness),
    /// Measure this machine: decisions, durable operations, the ledger, each beside its floor
    Bench(commands::bench::Bench),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(cli)));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("simwarden: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Import(import) => import.run().await,
        Command::Export(export) => export.run().await,
        Command::Token(token) => token.run().await,
        Command::User(user) => user.run().await,
        Command::Gateway(gateway) => gateway.run().await,
        Command::Profile(profile) => profile.run().await,
        Command::Pki(pki) => pki.run(),
        Command::Euicc(euicc) => euicc.run(),
        Command::Identity(identity) => identity.run(),
        Command::Policy(policy) => policy.run().await,
        Command::Detect(detect) => detect.run(),
        Command::Ledger(ledger) => ledger.run().await,
        Command::Check(check) => check.run(),
        Command::Link(link) => link.run(),
        Command::GuardDir(guard) => guard.run().await,
        Command::Witness(witness) => witness.run().await,
        Command::Bench(bench) => bench.run().await,
    }
}
