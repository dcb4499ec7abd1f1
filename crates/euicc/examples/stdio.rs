//! A chip from a throw-away PKI on standard input and output, for `lpac` with `LPAC_APDU=stdio`.
//!
//! The two must be joined crosswise, each one's output to the other's input:
//! `mkfifo back; lpac chip info < back | cargo run -p simwarden-euicc --example stdio > back`.
//! What `lpac` reports is repeated on standard error.

use serde_json::Value;
use simwarden_euicc::apdu::Card;
use simwarden_euicc::pki::{Pki, PkiOptions};
use simwarden_euicc::stdio::{Host, serve};
use simwarden_euicc::{ChipSettings, Euicc};
use simwarden_model::{Eid, Entropy, Timestamp};
use std::fs::File;
use std::io::{self, Read};

struct System(File);

impl Entropy for System {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0
            .read_exact(bytes)
            .expect("the system's source of chance is readable");
    }
}

struct Report;

impl Host for Report {
    fn keep(&mut self, _chip: &Euicc) -> io::Result<()> {
        Ok(())
    }

    fn other(&mut self, line: &Value) -> io::Result<Option<Value>> {
        eprintln!("{line}");
        Ok(None)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut entropy = System(File::open("/dev/urandom")?);
    let begin = Timestamp::from_micros(1_767_225_600_000_000);
    let pki = Pki::make(PkiOptions::new(begin, "smdp.example.com"), &mut entropy)?;
    let eid = Eid::parse("89049032123451234512345678901235")?;
    let chip = Euicc::new(pki.chip(eid, &mut entropy)?, ChipSettings::default());
    let mut card = Card::new(chip);
    serve(
        &mut card,
        &mut entropy,
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
        &mut Report,
    )?;
    Ok(())
}
