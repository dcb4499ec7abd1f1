//! `simwarden ledger`: what strangers, auditors and operators check.

use crate::house::House;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use simwarden_app::log::{Fetch, Folder, Published, Receipts, VerifyOptions, fsck, mirror, verify};
use simwarden_ledger::{Policy, Receipt, VerifierKey};
use simwarden_links::HttpFetch;
use std::path::PathBuf;
use std::process::ExitCode;

/// Verify, prove, check and mirror the ledger.
#[derive(Args)]
pub struct Ledger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a published log: every tile, its checkpoint, and that it continues an older one
    Verify(Verify),
    /// Check a receipt offline, with the key alone
    Receipt(CheckReceipt),
    /// Print the receipt of an entry of this installation
    Prove(Prove),
    /// Hold every row of the database, and the published files, against the ledger
    Fsck(Fsck),
    /// Copy a published log, verifying each file before it is kept
    Mirror(Mirror),
    /// Print the public key of this installation's ledger
    Key(Key),
}

/// Who must have signed.
#[derive(Args)]
struct Trust {
    /// The log's public key (vkey)
    #[arg(long, value_name = "VKEY", required_unless_present = "policy")]
    key: Option<VerifierKey>,
    /// A C2SP tlog-policy with the log, its witnesses and their quorum
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    policy: Option<PathBuf>,
}

impl Trust {
    fn policy(&self) -> anyhow::Result<Policy> {
        match (&self.key, &self.policy) {
            (Some(key), _) => Ok(Policy::log_only(key.clone())?),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                Ok(Policy::parse(text.as_bytes())?)
            }
            (None, None) => bail!("give the log's key with --key, or a policy with --policy"),
        }
    }
}

#[derive(Args)]
struct Verify {
    /// A folder or an http(s) address
    source: String,
    #[command(flatten)]
    trust: Trust,
    /// Read the entries as well; needs them in the folder, or an auditor's token
    #[arg(long)]
    entries: bool,
    /// A checkpoint that was kept from earlier: the log must continue it
    #[arg(long, value_name = "FILE")]
    remembered: Option<PathBuf>,
    /// Keep the checkpoint here for the next time
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
    /// A token of role auditor or regulator, for the entries
    #[arg(long, env = "SIMWARDEN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Args)]
struct CheckReceipt {
    /// The receipt, C2SP tlog-proof
    receipt: PathBuf,
    /// The entry's bytes
    entry: PathBuf,
    #[command(flatten)]
    trust: Trust,
}

#[derive(Args)]
struct Prove {
    #[command(flatten)]
    house: House,
    /// The entry's index
    entry: i64,
    /// Write the entry's bytes here
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

#[derive(Args)]
struct Fsck {
    #[command(flatten)]
    house: House,
    /// Look at the database only, not at the published files
    #[arg(long)]
    no_files: bool,
}

#[derive(Args)]
struct Mirror {
    /// A folder or an http(s) address
    source: String,
    /// Where to
    into: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Copy the entries as well
    #[arg(long)]
    entries: bool,
    /// A token of role auditor or regulator, for the entries
    #[arg(long, env = "SIMWARDEN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Args)]
struct Key {
    #[command(flatten)]
    house: House,
}

type Source = Box<dyn Fetch + Send + Sync>;

fn source(text: &str, token: Option<String>) -> anyhow::Result<Source> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(Box::new(HttpFetch::new(text, token)?))
    } else {
        Ok(Box::new(Folder::reading(text)))
    }
}

impl Ledger {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        match self.command {
            Command::Verify(verify) => tokio::task::spawn_blocking(move || verify.run()).await?,
            Command::Receipt(check) => check.run(),
            Command::Prove(prove) => prove.run().await,
            Command::Fsck(fsck) => fsck.run().await,
            Command::Mirror(mirror) => tokio::task::spawn_blocking(move || mirror.run()).await?,
            Command::Key(key) => {
                key.house.must_exist()?;
                println!("{}", key.house.existing_log_key()?.verifier());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut options = VerifyOptions::all(self.trust.policy()?);
        options.entries = self.entries;
        options.remembered = self.remembered.map(std::fs::read).transpose()?;
        let audited = verify(source(&self.source, self.token)?.as_ref(), &options)?;
        let checkpoint = &audited.trusted.checkpoint;
        println!(
            "ok: {} entries, root {}, every file fits",
            checkpoint.size,
            checkpoint.root.to_base64()
        );
        for (witness, at) in &audited.trusted.witnesses {
            println!("    cosigned by {witness} at {at} s since 1970");
        }
        if options.remembered.is_none() {
            println!(
                "    this shows that the log fits together, not that it is the one of yesterday: keep the checkpoint (--remember) and give it next time (--remembered)"
            );
        }
        if let Some(file) = self.remember {
            std::fs::write(&file, &audited.note)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl CheckReceipt {
    fn run(self) -> anyhow::Result<ExitCode> {
        let text = std::fs::read(&self.receipt)
            .with_context(|| format!("cannot read {}", self.receipt.display()))?;
        let entry =
            std::fs::read(&self.entry).with_context(|| format!("cannot read {}", self.entry.display()))?;
        let receipt = Receipt::parse(&text)?;
        let trusted = receipt.verify_offline(&entry, &self.trust.policy()?)?;
        println!(
            "ok: entry {} of the log of {} entries",
            receipt.index, trusted.checkpoint.size
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl Prove {
    async fn run(self) -> anyhow::Result<ExitCode> {
        self.house.must_exist()?;
        let store = self.house.store().await?;
        let key = self.house.existing_log_key()?.verifier().clone();
        let head = store
            .checkpoint()
            .await?
            .context("nothing was published yet; run `simwarden serve`")?;
        let published = Published {
            size: u64::try_from(head.size)?,
            note: head.note.into(),
        };
        let (_tell, published) = tokio::sync::watch::channel(published);
        let folder = Folder::reading(self.house.log_folder());
        let receipts = Receipts::new(store.clone(), folder, Policy::log_only(key)?, published);
        let text = receipts.receipt(self.entry).await?;
        if let Some(file) = self.body {
            let entry = store
                .entries(self.entry, 1)
                .await?
                .pop()
                .context("there is no such entry")?;
            std::fs::write(&file, entry.body).with_context(|| format!("cannot write {}", file.display()))?;
        }
        print!("{text}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Fsck {
    async fn run(self) -> anyhow::Result<ExitCode> {
        self.house.must_exist()?;
        let store = self.house.store().await?;
        let key = self.house.existing_log_key()?.verifier().clone();
        let folder = (!self.no_files).then(|| self.house.log_folder());
        let report = fsck(&store, folder.as_deref(), &key).await?;
        for finding in &report.findings {
            println!("{finding}");
        }
        if report.more > 0 {
            println!("and {} more", report.more);
        }
        println!(
            "{} entries, {} rows, {} imports, {} files: {}",
            report.entries,
            report.rows,
            report.imports,
            report.files,
            if report.is_clean() {
                "all as the ledger says"
            } else {
                "NOT as the ledger says"
            }
        );
        Ok(if report.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Mirror {
    fn run(self) -> anyhow::Result<ExitCode> {
        let source = source(&self.source, self.token)?;
        let done = mirror(
            source.as_ref(),
            &self.into,
            &self.trust.policy()?,
            self.entries,
            simwarden_app::log::ENTRIES_MAX,
        )?;
        println!(
            "ok: {} entries; {} files fetched, {} kept",
            done.trusted.checkpoint.size, done.fetched, done.kept
        );
        Ok(ExitCode::SUCCESS)
    }
}
