//! Rule packs: the built-in ones, and those in a folder of the operator's.

use anyhow::Context as _;
use clap::Args;
use simwarden_guard::{Engine, PackFile, PackSource, Shelf};
use std::path::{Path, PathBuf};

/// Which rules decide.
#[derive(Args, Clone)]
pub struct Packs {
    /// The rule packs that decide, comma separated
    #[arg(
        long,
        env = "SIMWARDEN_PACKS",
        default_value = "kh-default",
        value_delimiter = ',',
        value_name = "PACK"
    )]
    pub packs: Vec<String>,
    /// A folder of rule packs beside the built-in ones; a pack of the same name replaces the built-in one
    #[arg(long, env = "SIMWARDEN_POLICIES", value_name = "DIR")]
    pub policies: Option<PathBuf>,
}

/// The largest rule file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

impl Packs {
    /// The rules, put together.
    pub fn source(&self) -> anyhow::Result<PackSource> {
        let names: Vec<&str> = self.packs.iter().map(String::as_str).collect();
        Ok(shelf(self.policies.as_deref())?.source(&names)?)
    }

    /// The rules, loaded and checked.
    pub fn engine(&self) -> anyhow::Result<Engine> {
        Ok(Engine::load(&self.source()?)?)
    }
}

/// The built-in packs and those of a folder.
pub fn shelf(folder: Option<&Path>) -> anyhow::Result<Shelf> {
    let built_in = Shelf::built_in()?;
    match folder {
        None => Ok(built_in),
        Some(folder) => Ok(built_in.with(Shelf::from_files(files(folder)?)?)),
    }
}

/// Every file of the packs in a folder: `<pack>/<file>`.
fn files(folder: &Path) -> anyhow::Result<Vec<PackFile>> {
    let mut found = Vec::new();
    let list = |path: &Path| {
        std::fs::read_dir(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("cannot read the folder {}", path.display()))
    };
    for pack in list(folder)?.into_iter().filter(|entry| entry.path().is_dir()) {
        for file in list(&pack.path())? {
            let path = file.path();
            let known = path.extension().is_some_and(|e| e == "cedar" || e == "toml");
            if !path.is_file() || !known || file.metadata()?.len() > FILE_BYTES_MAX {
                continue;
            }
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = format!(
                "{}/{}",
                pack.file_name().to_string_lossy(),
                file.file_name().to_string_lossy()
            );
            found.push(PackFile { path: name, text });
        }
    }
    Ok(found)
}
