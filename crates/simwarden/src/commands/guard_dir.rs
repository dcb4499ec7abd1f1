//! `simwarden guard-dir`: watches a folder for app packages and looks at each as soon as it is there.

use super::check::{Spoken, brands, look_at, print_app};
use anyhow::{Context as _, bail};
use clap::Args;
use notify::{EventKind, RecursiveMode, Watcher as _};
use simwarden_checkup::app::{AppCheck, AppLevel};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Watch a folder: a suspicious app package is reported and, if asked, moved away.
#[derive(Args)]
pub struct GuardDir {
    /// The folder; what lies under it is watched too
    folder: PathBuf,
    /// Where suspicious files are moved; must lie outside the folder
    #[arg(long, value_name = "DIR")]
    quarantine: Option<PathBuf>,
    /// Look once at everything that is there, and end
    #[arg(long)]
    once: bool,
    /// More brands to protect
    #[arg(long, value_name = "FILE")]
    brands: Vec<PathBuf>,
    /// The language of the advice
    #[arg(long, value_enum, default_value = "en")]
    lang: Spoken,
}

/// Events that wait; more are not lost, since everything is looked at again then.
const WAITING_MAX: usize = 1_024;
/// A file is looked at when it was left alone for so long: it may still be written.
const QUIET: Duration = Duration::from_millis(500);
/// How deep folders are followed.
const DEPTH_MAX: usize = 16;

impl GuardDir {
    /// Runs the command until it is ended.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        if !self.folder.is_dir() {
            bail!("{} is no folder", self.folder.display());
        }
        let folder = self.folder.canonicalize()?;
        if let Some(quarantine) = &self.quarantine {
            std::fs::create_dir_all(quarantine)
                .with_context(|| format!("cannot make {}", quarantine.display()))?;
            if quarantine.canonicalize()?.starts_with(&folder) {
                bail!("the quarantine must lie outside the folder that is watched");
            }
        }
        let check = AppCheck::new(brands(&self.brands)?)?;
        let watching = tokio::task::spawn_blocking(move || self.watch(&check, &folder));
        tokio::select! {
            outcome = watching => outcome??,
            () = super::asked_to_end() => std::process::exit(0),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn watch(&self, check: &AppCheck, folder: &Path) -> anyhow::Result<()> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // A full queue or a lost event is answered by looking at everything.
            let _ = sender.try_send(event.ok());
        })?;
        if !self.once {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        self.everything(check, folder, 0);
        if self.once {
            return Ok(());
        }
        println!("watching {}", folder.display());
        let mut waiting: BTreeMap<PathBuf, ()> = BTreeMap::new();
        loop {
            match receiver.recv_timeout(QUIET) {
                Ok(Some(event)) if event.need_rescan() => self.everything(check, folder, 0),
                Ok(Some(event)) if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_)) => {
                    waiting.extend(event.paths.into_iter().map(|path| (path, ())));
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    for (file, ()) in std::mem::take(&mut waiting) {
                        self.look(check, &file);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the folder can no longer be watched"),
            }
            if waiting.len() >= WAITING_MAX {
                waiting.clear();
                self.everything(check, folder, 0);
            }
        }
    }

    fn everything(&self, check: &AppCheck, folder: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH_MAX => {
                    self.everything(check, &entry.path(), depth + 1)
                }
                Ok(kind) if kind.is_file() => self.look(check, &entry.path()),
                _ => {}
            }
        }
    }

    fn look(&self, check: &AppCheck, file: &Path) {
        // Links are not followed: they may point anywhere.
        if !std::fs::symlink_metadata(file).is_ok_and(|m| m.is_file()) {
            return;
        }
        let report = match look_at(check, file, self.lang.into()) {
            Ok(report) => report,
            Err(error) => return eprintln!("not checked: {error:#}"),
        };
        if report.level < AppLevel::Suspicious {
            return;
        }
        print_app(file, &report);
        if let Some(quarantine) = &self.quarantine {
            match moved(file, quarantine, &report.sha256) {
                Ok(place) => println!("  moved to {}", place.display()),
                Err(error) => eprintln!("  could not be moved: {error:#}"),
            }
        }
    }
}

/// Moves a file under the name of its content; over a border of file systems by copy.
fn moved(file: &Path, quarantine: &Path, digest: &str) -> anyhow::Result<PathBuf> {
    let place = quarantine.join(format!("{digest}.quarantined"));
    if std::fs::rename(file, &place).is_err() {
        std::fs::copy(file, &place)?;
        std::fs::remove_file(file)?;
    }
    Ok(place)
}
