//! `simwarden identity passwords check`: whether a password would be taken, and why not. The password comes on standard input:
//! arguments are seen by everybody on the machine.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use simwarden_identity::passwords::{About, BreachedRange, RANGE_BYTES_MAX, check};
use std::io::{Read as _, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check a password as the sign-up does.
#[derive(Args)]
pub struct Passwords {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a password from standard input and say what speaks against it; exit code 1 when something does
    Check(Check),
}

#[derive(Args)]
struct Check {
    /// A folder of range files of leaked passwords (Have I Been Pwned's format), named by their first five digits
    #[arg(long, env = "SIMWARDEN_LEAKED_PASSWORDS", value_name = "DIR")]
    leaked: Option<PathBuf>,
    /// A word about its owner, which it must not be made of; may be given again
    #[arg(long = "word", value_name = "WORD")]
    words: Vec<String>,
    /// It is used beside a second factor: 8 characters are enough, instead of 15
    #[arg(long)]
    second_factor: bool,
}

impl Passwords {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Check(wanted) = self.command;
        let mut text = String::new();
        stdin()
            .take(4096)
            .read_to_string(&mut text)
            .context("the password is not UTF-8 text")?;
        let password = text.trim_end_matches(['\r', '\n']);
        let leaked = match &wanted.leaked {
            Some(folder) => Some(times_leaked(folder, password)?),
            None => None,
        };
        let words: Vec<&str> = wanted.words.iter().map(String::as_str).collect();
        let found = check(
            password,
            &About {
                words: &words,
                second_factor: wanted.second_factor,
                leaked,
            },
        );
        if leaked.is_none() {
            eprintln!("not compared with leaked passwords: no --leaked folder was given");
        }
        for weakness in &found {
            println!("{}: {weakness}", weakness.code());
        }
        if found.is_empty() {
            println!("nothing speaks against it");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::FAILURE)
    }
}

/// How often a password was leaked, by a folder of range files. A range that is not there has no leaked password.
fn times_leaked(folder: &Path, password: &str) -> anyhow::Result<u64> {
    anyhow::ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    let range = BreachedRange::of(password);
    for name in [range.name().to_owned(), format!("{}.txt", range.name())] {
        let path = folder.join(name);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut text = String::new();
        file.take(RANGE_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        return range
            .count_in(&text)
            .with_context(|| format!("{} is no range file", path.display()));
    }
    Ok(0)
}
