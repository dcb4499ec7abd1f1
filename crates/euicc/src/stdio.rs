//! The chip on two streams of JSON lines, as the "stdio" APDU back-end of `lpac` speaks them.
//!
//! `lpac` writes `{"type":"apdu","payload":{"func":…,"param":…}}` and waits for one line
//! `{"type":"apdu","payload":{"ecode":…,"data":…}}`. Functions: `connect`, `disconnect`, `logic_channel_open` (param:
//! AID; `ecode` is the channel), `logic_channel_close` (param: channel), `transmit` (param and `data`: an APDU); `ecode`
//! is negative for a failure. Lines of other types (progress, results, HTTP) are handed to the host.
//!
//! `lpac` 2.3.0 as released takes its own success in writing a request for a failure and stops after the first line;
//! it needs a build in which that is put right.

use crate::apdu::Card;
use crate::chip::Euicc;
use crate::hex;
use serde_json::{Value, json};
use simwarden_model::Entropy;
use std::io::{self, BufRead, Read, Write};

/// The longest line that is read, in bytes.
pub const LINE_LENGTH_MAX: u64 = 4 * 1024 * 1024;

/// Who runs the chip: keeps its state, and sees the lines that are not for the chip.
pub trait Host {
    /// The chip's lasting state may have changed. Called before the answer goes out, so that what is told is kept.
    ///
    /// # Errors
    /// An I/O error ends the serving.
    fn keep(&mut self, chip: &Euicc) -> io::Result<()>;

    /// A line that is no APDU request. What is given back is written as one line.
    ///
    /// # Errors
    /// An I/O error ends the serving.
    fn other(&mut self, line: &Value) -> io::Result<Option<Value>>;
}

/// Serves requests until the input ends.
///
/// # Errors
/// An I/O error of either stream or of the host, or a line over [`LINE_LENGTH_MAX`].
pub fn serve(
    card: &mut Card,
    entropy: &mut dyn Entropy,
    mut input: &mut dyn BufRead,
    output: &mut dyn Write,
    host: &mut dyn Host,
) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(LINE_LENGTH_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 == LINE_LENGTH_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        let Ok(line) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        let answer = if line["type"] == "apdu" {
            let answer = answer(card, entropy, &line["payload"]);
            if card.take_changed() {
                host.keep(card.chip())?;
            }
            Some(json!({ "type": "apdu", "payload": answer }))
        } else {
            host.other(&line)?
        };
        if let Some(answer) = answer {
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
    }
}

fn answer(card: &mut Card, entropy: &mut dyn Entropy, payload: &Value) -> Value {
    let failed = json!({ "ecode": -1 });
    let param = payload["param"].as_str().unwrap_or_default();
    let Ok(param) = hex::decode(param) else {
        return failed;
    };
    match payload["func"].as_str() {
        Some("connect") => {
            card.reset();
            json!({ "ecode": 0 })
        }
        Some("disconnect") => json!({ "ecode": 0 }),
        Some("logic_channel_open") => match card.open_channel(&param) {
            Ok(number) => json!({ "ecode": number }),
            Err(_) => failed,
        },
        Some("logic_channel_close") => {
            param
                .first()
                .copied()
                .into_iter()
                .for_each(|it| card.close_channel(it));
            json!({ "ecode": 0 })
        }
        Some("transmit") => match card.transmit(&param, entropy) {
            Ok(response) => json!({ "ecode": 0, "data": hex::encode(&response) }),
            Err(_) => failed,
        },
        _ => failed,
    }
}
