//! `simwarden token`: whoever can read the data folder is the installation's own administrator.

use crate::house::House;
use clap::{Args, Subcommand};
use simwarden_app::{Actor, NewToken};
use simwarden_model::{PartyId, Plmn, Role, TokenId};
use std::process::ExitCode;
use std::time::Duration;

/// Make and take back access tokens.
#[derive(Args)]
pub struct Token {
    #[command(flatten)]
    house: House,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a token; its secret is printed this once
    Make(Make),
    /// Take a token back
    Revoke {
        /// The token's id
        id: TokenId,
    },
    /// List the tokens
    List,
}

#[derive(Args)]
struct Make {
    /// subscriber, agent, supervisor, fraud_analyst, hotline, regulator, auditor, feed or admin
    #[arg(long)]
    role: Role,
    /// Whom or what it is for
    #[arg(long)]
    name: String,
    /// The operator it is bound to, MCC-MNC; all when left out
    #[arg(long)]
    operator: Option<Plmn>,
    /// The subscriber, for that role
    #[arg(long)]
    party: Option<PartyId>,
    /// The shop, for agents
    #[arg(long)]
    shop: Option<String>,
    /// The terminal, for agents
    #[arg(long)]
    terminal: Option<String>,
    /// How many days it lives
    #[arg(long, default_value_t = 90)]
    days: u32,
}

impl Token {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        let app = self.house.app().await?;
        match self.command {
            Command::Make(make) => {
                let new = NewToken {
                    role: make.role,
                    operator: make.operator.map(|plmn| plmn.to_string()),
                    name: make.name,
                    party: make.party,
                    shop: make.shop,
                    terminal: make.terminal,
                    life: Duration::from_secs(u64::from(make.days) * 24 * 3600),
                    since: None,
                };
                let (id, secret) = app.make_token(&Actor::system(), new).await?;
                eprintln!("token {id}; its secret is shown this once:");
                println!("{secret}");
            }
            Command::Revoke { id } => {
                app.revoke_token(&Actor::system(), id).await?;
                eprintln!("token {id} is taken back");
            }
            Command::List => {
                for token in app.store().tokens().await? {
                    let state = if token.revoked_at.is_some() {
                        "revoked"
                    } else {
                        "valid"
                    };
                    let operator = token.operator.as_deref().unwrap_or("all");
                    println!(
                        "{} {:13} {operator:8} until {} {state} {}",
                        token.id, token.role, token.expires_at, token.name
                    );
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
