//! `simwarden profile caller`: whose client certificate orders over ES2+, and for whom.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};
use simwarden_app::smdp::Es2Caller;
use simwarden_app::{Actor, App};
use std::path::{Path, PathBuf};

/// Callers of ES2+.
#[derive(Subcommand)]
pub enum Caller {
    /// Let a client certificate order for an owner, from now on
    Add(Add),
    /// Take its right away, from the next call on
    Remove {
        /// The certificate, PEM or DER
        certificate: PathBuf,
    },
    /// Show them all
    List,
}

/// A caller to be entered.
#[derive(Args)]
pub struct Add {
    /// The certificate, PEM or DER
    certificate: PathBuf,
    /// Whose profiles it may touch, as `simwarden profile import --operator` said
    #[arg(long, value_name = "MCC-MNC")]
    owner: String,
    /// What people call it; the file's name when left out
    #[arg(long)]
    name: Option<String>,
    /// Where its system wants to be told of downloads (handleDownloadProgressInfo): https://…, without the function
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
}

/// SHA-256 of the certificate in a file.
fn digest(file: &Path) -> anyhow::Result<[u8; 32]> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let der = match bytes.starts_with(b"-----") {
        true => crate::smdp::pem(&bytes).with_context(|| format!("{} is no PEM", file.display()))?,
        false => bytes,
    };
    if der.first() != Some(&0x30) {
        bail!("{} is no certificate", file.display());
    }
    Ok(Sha256::digest(&der).into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Caller {
    /// Runs the command.
    pub async fn run(self, app: &App) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => {
                if add
                    .callback
                    .as_ref()
                    .is_some_and(|url| !url.starts_with("https://"))
                {
                    bail!("a callback is an https:// address: it is told EIDs and ICCIDs");
                }
                let stem = add.certificate.file_stem().unwrap_or_default().to_string_lossy();
                let caller = Es2Caller {
                    certificate: digest(&add.certificate)?,
                    owner: add.owner,
                    name: add.name.unwrap_or_else(|| stem.into_owned()),
                    callback: add.callback,
                };
                app.add_es2_caller(&Actor::system(), &caller).await?;
                println!("{} orders for {}", hex(&caller.certificate), caller.owner);
            }
            Self::Remove { certificate } => {
                app.remove_es2_caller(&Actor::system(), digest(&certificate)?)
                    .await?;
            }
            Self::List => {
                for caller in app.es2_callers(None).await? {
                    println!(
                        "{} {} {} {}",
                        hex(&caller.certificate),
                        caller.owner,
                        caller.name,
                        caller.callback.as_deref().unwrap_or("-")
                    );
                }
            }
        }
        Ok(())
    }
}
