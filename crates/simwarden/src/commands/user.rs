//! `simwarden user`: accounts of people, by whoever can read the data folder.

use crate::house::House;
use clap::{Args, Subcommand};
use simwarden_app::{Actor, App, Invited, NewAccount};
use simwarden_model::{AccountId, PartyId, PasskeyId, Plmn, Role};
use std::process::ExitCode;

/// Accounts of people: invitations, passkeys, sessions.
#[derive(Args)]
pub struct User {
    #[command(flatten)]
    house: House,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make an account; the code that invites its holder is printed this once
    Add(Add),
    /// List the accounts
    List,
    /// List the passkeys of an account, or take one off it
    Passkey {
        /// The account's id
        account: AccountId,
        /// Take this passkey off: it was lost or stolen
        #[arg(long, value_name = "PASSKEY")]
        remove: Option<PasskeyId>,
    },
    /// Invite the holder of an account again, after all passkeys were lost; signs the account out everywhere
    Recover {
        /// The account's id
        account: AccountId,
    },
    /// List where an account is signed in
    Sessions {
        /// The account's id
        account: AccountId,
        /// End all of them
        #[arg(long)]
        end: bool,
        /// End all of them and close the account
        #[arg(long)]
        close: bool,
    },
}

#[derive(Args)]
struct Add {
    /// subscriber, agent, supervisor, fraud_analyst, hotline, regulator, auditor or admin
    #[arg(long)]
    role: Role,
    /// Whose it is
    #[arg(long)]
    name: String,
    /// The operator it is bound to, MCC-MNC
    #[arg(long)]
    operator: Option<Plmn>,
    /// What its holder signs in with beside a passkey
    #[arg(long)]
    login: Option<String>,
    /// The subscriber, for that role
    #[arg(long)]
    party: Option<PartyId>,
    /// The shop, for agents
    #[arg(long)]
    shop: Option<String>,
    /// The terminal, for agents
    #[arg(long)]
    terminal: Option<String>,
}

fn print(invited: &Invited) {
    eprintln!(
        "account {}; its holder enrols a passkey with this code until {}, shown this once:",
        invited.account, invited.until
    );
    println!("{}", invited.code);
}

impl User {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        let app = self.house.app().await?;
        let system = Actor::system();
        match self.command {
            Command::Add(add) => {
                let new = NewAccount {
                    role: add.role,
                    operator: add.operator.map(|plmn| plmn.to_string()),
                    name: add.name,
                    login: add.login,
                    party: add.party,
                    shop: add.shop,
                    terminal: add.terminal,
                };
                print(&app.make_account(&system, new).await?);
            }
            Command::List => {
                for account in app.store().accounts().await? {
                    let state = if account.disabled_at.is_some() {
                        "closed"
                    } else {
                        "open"
                    };
                    let operator = account.operator.as_deref().unwrap_or("all");
                    println!(
                        "{} {:13} {operator:8} since {} {state}",
                        account.id, account.role, account.created_at
                    );
                }
            }
            Command::Passkey {
                account,
                remove: None,
            } => passkeys(&app, account).await?,
            Command::Passkey {
                account,
                remove: Some(passkey),
            } => {
                app.remove_passkey_of(&system, account, passkey).await?;
                eprintln!("passkey {passkey} is taken off, and the sessions begun with it are over");
            }
            Command::Recover { account } => {
                app.shut_out(&system, account, false).await?;
                print(&app.invite(&system, account).await?);
            }
            Command::Sessions { account, end, close } => {
                if end || close {
                    app.shut_out(&system, account, close).await?;
                    eprintln!("account {account} is signed out everywhere");
                } else {
                    sessions(&app, account).await?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn passkeys(app: &App, account: AccountId) -> anyhow::Result<()> {
    let (passkeys, _) = app.account_access(&Actor::system(), account).await?;
    for passkey in passkeys {
        let kind = match (passkey.synced, passkey.attested) {
            (true, _) => "synced",
            (false, true) => "one device, attested",
            (false, false) => "one device",
        };
        let barred = if passkey.suspect_at.is_some() {
            ", BARRED: a copy was used"
        } else {
            ""
        };
        println!(
            "{} {} ({kind}{barred}) since {}",
            passkey.id, passkey.name, passkey.added_at
        );
    }
    Ok(())
}

async fn sessions(app: &App, account: AccountId) -> anyhow::Result<()> {
    let (_, sessions) = app.account_access(&Actor::system(), account).await?;
    for session in sessions {
        println!(
            "{} {} {} {} since {} until {} {}",
            session.id,
            session.how,
            session.address,
            session.agent,
            session.created_at,
            session.expires_at,
            session.reasons.join(",")
        );
    }
    Ok(())
}
