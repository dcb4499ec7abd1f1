//! The rows that were not imported, in a file beside the one that was: row, reason, what to do, the row itself.
//!
//! The file holds personal data as the inventory does; only its owner may read it.

use super::FORMULA_BEGINNINGS;
use super::problem::BadRow;
use crate::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Where the rows go; made with the first of them.
pub(super) struct Quarantine {
    path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl Quarantine {
    /// Takes away what an earlier run left there.
    pub(super) fn new(path: Option<PathBuf>) -> Result<Self, Error> {
        if let Some(path) = &path {
            match std::fs::remove_file(path) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(unwritable(path, &e)),
            }
        }
        Ok(Self { path, file: None })
    }

    pub(super) fn add(&mut self, row: &BadRow) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = format!(
            "{},{},{},{}\n",
            row.row,
            row.reason.code(),
            cell(row.reason.advice()),
            cell(&row.raw)
        );
        let mut write = || -> std::io::Result<()> {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(create(path)?),
            };
            file.write_all(text.as_bytes())
        };
        write().map_err(|e| unwritable(path, &e))
    }

    /// Where the rows are, if there are any.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, Error> {
        match (self.file, self.path) {
            (Some(mut file), Some(path)) => {
                file.flush().map_err(|e| unwritable(&path, &e))?;
                Ok(Some(path))
            }
            _ => Ok(None),
        }
    }
}

fn create(path: &Path) -> std::io::Result<BufWriter<File>> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path)?);
    file.write_all(b"row,reason,what_to_do,raw\n")?;
    Ok(file)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid(
        "quarantine_unwritable",
        format!(
            "the quarantine file {} cannot be written: {error}",
            path.display()
        ),
    )
}

/// A cell of CSV that a spreadsheet takes for text, whatever stands in it.
pub(super) fn cell(text: &str) -> String {
    let guard = if text.trim_start().starts_with(FORMULA_BEGINNINGS) {
        "'"
    } else {
        ""
    };
    // Control characters would break rows apart or hide text.
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect();
    if guard.is_empty() && !clean.contains([',', '"']) {
        return clean;
    }
    format!("\"{guard}{}\"", clean.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+855", "-1", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0"] {
            let cell = cell(text);
            assert!(cell.starts_with("\"'"), "{cell}");
        }
        assert_eq!(cell("a,\"b\"\r\n"), "\"a,\"\"b\"\"\u{FFFD}\u{FFFD}\"");
        assert_eq!(cell("8985"), "8985");
    }
}
