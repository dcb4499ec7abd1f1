//! Lines of a file, and the cells of a line: CSV and JSON Lines.
//!
//! One line is one row, whatever stands in it: a broken quote spoils its own row and no other. Memory is bounded by
//! [`LINE_BYTES_MAX`].

use super::Format;
use super::column::{COLUMNS, Column, names};
use super::problem::Reason;
use crate::Error;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;

/// The longest row, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// The lines of a file.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    buffer: Vec<u8>,
    number: u64,
    bytes: u64,
    too_long: bool,
    again: bool,
}

/// What stood in a line.
pub(super) enum Line<'l> {
    Text(&'l str),
    Bad(Reason, &'l [u8]),
}

impl Lines {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            buffer: Vec::with_capacity(1024),
            number: 0,
            bytes: 0,
            too_long: false,
            again: false,
        }
    }

    /// The bytes read so far.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets the next call answer the same line once more.
    pub(super) fn put_back(&mut self) {
        self.again = true;
    }

    /// The next line that is not empty, with its number from 1.
    pub(super) fn next(&mut self) -> std::io::Result<Option<(u64, Line<'_>)>> {
        if !std::mem::take(&mut self.again) {
            loop {
                self.buffer.clear();
                let most = LINE_BYTES_MAX as u64 + 1;
                let read = (&mut self.reader)
                    .take(most)
                    .read_until(b'\n', &mut self.buffer)?;
                if read == 0 {
                    return Ok(None);
                }
                self.number += 1;
                self.bytes += read as u64;
                self.too_long = read > LINE_BYTES_MAX && self.buffer.last() != Some(&b'\n');
                if self.too_long {
                    self.skip_line()?;
                }
                if self.number == 1 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
                    self.buffer.drain(..3);
                }
                while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
                    self.buffer.pop();
                }
                if !self.buffer.trim_ascii().is_empty() {
                    break;
                }
            }
        }
        let line = if self.too_long {
            Line::Bad(Reason::LineTooLong, &self.buffer)
        } else {
            match std::str::from_utf8(&self.buffer) {
                Ok(text) => Line::Text(text),
                Err(_) => Line::Bad(Reason::NotUtf8, &self.buffer),
            }
        };
        Ok(Some((self.number, line)))
    }

    fn skip_line(&mut self) -> std::io::Result<()> {
        loop {
            let part = self.reader.fill_buf()?;
            if part.is_empty() {
                return Ok(());
            }
            let (skipped, end) = match part.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (part.len(), false),
            };
            self.reader.consume(skipped);
            self.bytes += skipped as u64;
            if end {
                return Ok(());
            }
        }
    }
}

/// The cells of one row, by column. Used again for every row.
#[derive(Debug)]
pub(super) struct Cells {
    text: String,
    spans: [Range<usize>; COLUMNS],
}

impl Cells {
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(1024),
            spans: std::array::from_fn(|_| 0..0),
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.spans.fill(0..0);
    }

    /// What stands in a column, without blanks around it; none when that is nothing.
    pub(super) fn get(&self, column: Column) -> Option<&str> {
        let text = self.text[self.spans[column as usize].clone()].trim();
        (!text.is_empty()).then_some(text)
    }

    fn end(&mut self, column: Column, start: usize) {
        self.spans[column as usize] = start..self.text.len();
    }

    /// Takes a cell of CSV apart. Answers what stands behind it.
    fn csv_cell<'l>(&mut self, line: &'l str, column: Column) -> Result<&'l str, Reason> {
        let start = self.text.len();
        let rest = if let Some(mut quoted) = line.strip_prefix('"') {
            loop {
                let at = quoted.find('"').ok_or(Reason::BadQuoting)?;
                self.text.push_str(&quoted[..at]);
                quoted = &quoted[at + 1..];
                match quoted.strip_prefix('"') {
                    Some(more) => {
                        self.text.push('"');
                        quoted = more;
                    }
                    None => break quoted,
                }
            }
        } else {
            let at = line.find(',').unwrap_or(line.len());
            let cell = &line[..at];
            if cell.contains('"') {
                return Err(Reason::BadQuoting);
            }
            self.text.push_str(cell);
            &line[at..]
        };
        // A quote that an export put before what a spreadsheet would take for a formula.
        if self.text[start..].starts_with('\'')
            && self.text[start + 1..].starts_with(super::GUARDED_BEGINNINGS)
        {
            self.text.remove(start);
        }
        self.end(column, start);
        Ok(rest)
    }

    fn csv(&mut self, line: &str, header: &[Column]) -> Result<(), Reason> {
        let mut rest = Some(line);
        for column in header {
            let here = rest.ok_or(Reason::WrongWidth)?;
            let behind = self.csv_cell(here, *column)?;
            rest = match behind.strip_prefix(',') {
                Some(more) => Some(more),
                None if behind.is_empty() => None,
                None => return Err(Reason::BadQuoting),
            };
        }
        if rest.is_some() {
            Err(Reason::WrongWidth)
        } else {
            Ok(())
        }
    }

    /// Takes a row apart.
    pub(super) fn read(&mut self, line: &str, form: &Form) -> Result<(), Reason> {
        self.clear();
        match form {
            Form::Csv(header) => self.csv(line, header),
            Form::JsonLines => {
                let mut json = serde_json::Deserializer::from_str(line);
                JsonRow(self)
                    .deserialize(&mut json)
                    .map_err(|_| Reason::BadJson)?;
                json.end().map_err(|_| Reason::BadJson)
            }
        }
    }
}

/// How the rows of a file are written.
#[derive(Debug)]
pub(super) enum Form {
    /// With these columns, in this order.
    Csv(Vec<Column>),
    JsonLines,
}

/// Reads the header of a file, if its form has one.
pub(super) fn read_form(lines: &mut Lines, format: Format) -> Result<Form, Error> {
    if format == Format::JsonLines {
        return Ok(Form::JsonLines);
    }
    let wrong = |message: String| Err(Error::invalid("bad_header", message));
    let line = match lines.next().map_err(super::unreadable)? {
        Some((_, Line::Text(line))) => line,
        Some(_) => return wrong("the first line is no header in UTF-8; save the file as UTF-8".into()),
        None => {
            return wrong(format!(
                "the file is empty; its first line must name the columns: {}",
                names()
            ));
        }
    };
    let mut header = Vec::new();
    for name in line.split(',') {
        let name = name.trim().trim_matches('"').trim();
        let Some(column) = Column::from_name(name) else {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            return wrong(format!(
                "the header names `{shown}`, which is no column; separate by commas, and use of: {}",
                names()
            ));
        };
        if header.contains(&column) {
            return wrong(format!("the header names `{}` twice", column.name()));
        }
        header.push(column);
    }
    if header.contains(&Column::Iccid) {
        Ok(Form::Csv(header))
    } else {
        wrong("the header lacks `iccid`, which every row needs".into())
    }
}

/// Reads one JSON object into cells: texts and nulls under known, different keys.
struct JsonRow<'c>(&'c mut Cells);

impl<'de> DeserializeSeed<'de> for JsonRow<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for JsonRow<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of the documented columns")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use serde::de::Error as _;
        let mut seen = [false; COLUMNS];
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let column = Column::from_name(&key).ok_or_else(|| A::Error::custom("unknown column"))?;
            if std::mem::replace(&mut seen[column as usize], true) {
                return Err(A::Error::custom("a column stands twice"));
            }
            let start = self.0.text.len();
            map.next_value_seed(JsonText(&mut self.0.text))?;
            self.0.end(column, start);
        }
        Ok(())
    }
}

/// Appends a JSON text to a buffer; null appends nothing.
struct JsonText<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for JsonText<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonText<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or null")
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
