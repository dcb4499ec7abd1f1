//! One installation on disk: the data folder with its database, keys and ledger files.

use crate::policies::Packs;
use anyhow::{Context as _, bail};
use clap::Args;
use simwarden_app::log::{load_key, load_or_make_key};
use simwarden_app::{App, AppConfig, Limits, OsEntropy};
use simwarden_ledger::{KeyKind, NoteSigner};
use simwarden_model::Entropy as _;
use simwarden_store::{Keyring, Store};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where an installation lives.
#[derive(Args, Clone)]
pub struct House {
    /// The data folder: database, keys, ledger files
    #[arg(long, env = "SIMWARDEN_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// The database: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`; the embedded one in the data folder by default
    #[arg(long, env = "SIMWARDEN_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// The master key, kept outside the database; made at the first start
    #[arg(long, env = "SIMWARDEN_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key: Option<PathBuf>,
    /// The name under which the ledger is published
    #[arg(
        long,
        env = "SIMWARDEN_ORIGIN",
        default_value = "simwarden.invalid/log",
        value_name = "NAME"
    )]
    pub origin: String,
}

impl House {
    /// Where the ledger's files are published.
    pub fn log_folder(&self) -> PathBuf {
        self.data.join("ledger")
    }

    /// Makes the data folder, for its owner only.
    pub fn prepare(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.data)
            .with_context(|| format!("cannot make the data folder {}", self.data.display()))
    }

    /// Opens the database.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let address = match &self.database {
            Some(address) => address.clone(),
            None => format!("sqlite:{}", self.data.join("simwarden.db").display()),
        };
        Ok(Store::open(&address).await?)
    }

    /// Reads the master key, or makes it.
    pub fn keyring(&self) -> anyhow::Result<Keyring> {
        let file = self
            .master_key
            .clone()
            .unwrap_or_else(|| self.data.join("master.key"));
        match std::fs::read_to_string(&file) {
            Ok(text) => Keyring::from_text(&text).with_context(|| format!("cannot use {}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_master_key(&file),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// The use cases, for commands that decide nothing: one pack of rules is enough.
    pub async fn app(&self) -> anyhow::Result<App> {
        self.prepare()?;
        let packs = Packs {
            packs: vec!["base".to_owned()],
            policies: None,
        };
        Ok(App::open(AppConfig {
            store: self.store().await?,
            keyring: self.keyring()?,
            engine: packs.engine()?,
            limits: Limits::default(),
            clock: None,
            entropy: None,
            accept_clock: false,
        })
        .await?)
    }

    fn log_key_file(&self) -> PathBuf {
        self.data.join("log.key")
    }

    /// The ledger's key, made when it is not there.
    pub fn log_key(&self) -> anyhow::Result<NoteSigner> {
        let mut entropy = OsEntropy::new()?;
        Ok(load_or_make_key(
            &self.log_key_file(),
            &self.origin,
            KeyKind::Note,
            &mut entropy,
        )?)
    }

    /// The ledger's key, which must be there.
    pub fn existing_log_key(&self) -> anyhow::Result<NoteSigner> {
        Ok(load_key(&self.log_key_file(), None, KeyKind::Note)?)
    }

    /// Whether there is an installation at all, for commands that only read one.
    pub fn must_exist(&self) -> anyhow::Result<()> {
        if !self.data.is_dir() {
            bail!(
                "there is no data folder {}; start with `simwarden serve` or `simwarden import`",
                self.data.display()
            );
        }
        Ok(())
    }
}

fn make_master_key(file: &Path) -> anyhow::Result<Keyring> {
    let mut master = [0; 32];
    OsEntropy::new()?.fill(&mut master);
    let keyring = Keyring::new(master);
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot make {}", file.display()))?;
    out.write_all(keyring.to_text().as_bytes())?;
    out.sync_all()?;
    eprintln!(
        "made a master key in {}: without it nothing personal can be read again; keep a copy elsewhere",
        file.display()
    );
    Ok(keyring)
}
