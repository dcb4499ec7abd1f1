//! A ZIP archive as Android reads it: by its central directory, within bounds. Nothing is ever written to disk.

/// Longest package that is read, in bytes.
pub const FILE_MAX: u64 = 512 * 1024 * 1024;
/// The most entries.
const ENTRIES_MAX: usize = 65_535;
/// Longest entry that is unpacked, in bytes: a manifest.
const UNPACKED_MAX: usize = 8 * 1024 * 1024;

/// Why bytes are no archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a readable package: {0}")]
pub(crate) struct ArchiveError(pub &'static str);

/// An entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub name: String,
    pub packed: u64,
    pub unpacked: u64,
    pub encrypted: bool,
    method: u16,
    offset: usize,
}

/// An archive.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    pub entries: Vec<Entry>,
    /// Where the central directory begins: before it stands the signing block.
    pub directory: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

const END: &[u8] = b"PK\x05\x06";

impl<'a> Archive<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ArchiveError> {
        let end = end_of(bytes).ok_or(ArchiveError("it has no directory"))?;
        let count = usize::from(u16_at(bytes, end + 10).ok_or(ArchiveError("cut off"))?);
        let directory = u32_at(bytes, end + 16).ok_or(ArchiveError("cut off"))? as usize;
        let mut at = directory;
        let mut entries = Vec::new();
        while entries.len() < count.min(ENTRIES_MAX) {
            let entry = entry(bytes, &mut at).ok_or(ArchiveError("its directory is damaged"))?;
            entries.push(entry);
        }
        Ok(Self {
            bytes,
            entries,
            directory,
        })
    }

    /// Unpacks an entry by its name: the last one, as Android does.
    pub(crate) fn unpack(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        let Some(entry) = self.entries.iter().rev().find(|e| e.name == name) else {
            return Ok(None);
        };
        let header = entry.offset;
        let bad = ArchiveError("an entry lies outside of it");
        if self.bytes.get(header..header + 4) != Some(b"PK\x03\x04") {
            return Err(bad);
        }
        let name_length = usize::from(u16_at(self.bytes, header + 26).ok_or(bad)?);
        let extra = usize::from(u16_at(self.bytes, header + 28).ok_or(bad)?);
        let start = header + 30 + name_length + extra;
        let packed = usize::try_from(entry.packed).map_err(|_| bad)?;
        let unpacked = usize::try_from(entry.unpacked).map_err(|_| bad)?;
        if entry.method == 8 {
            let data = self.bytes.get(start..start.saturating_add(packed)).ok_or(bad)?;
            let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(data, UNPACKED_MAX);
            return plain
                .map(Some)
                .map_err(|_| ArchiveError("an entry cannot be unpacked within bounds"));
        }
        // Android takes every other method for "stored".
        let length = unpacked.min(UNPACKED_MAX);
        self.bytes
            .get(start..start.saturating_add(length))
            .map(|d| Some(d.to_vec()))
            .ok_or(bad)
    }
}

fn end_of(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(22)?;
    let first = last.saturating_sub(65_535);
    (first..=last).rev().find(|at| {
        bytes.get(*at..at + 4) == Some(END)
            && u16_at(bytes, at + 20).is_some_and(|comment| at + 22 + usize::from(comment) <= bytes.len())
    })
}

fn entry(bytes: &[u8], at: &mut usize) -> Option<Entry> {
    if bytes.get(*at..*at + 4)? != b"PK\x01\x02" {
        return None;
    }
    let lengths = [28, 30, 32].map(|o| u16_at(bytes, *at + o).map(usize::from));
    let [name, extra, comment] = [lengths[0]?, lengths[1]?, lengths[2]?];
    let found = Entry {
        encrypted: u16_at(bytes, *at + 8)? & 1 != 0,
        method: u16_at(bytes, *at + 10)?,
        packed: u64::from(u32_at(bytes, *at + 20)?),
        unpacked: u64::from(u32_at(bytes, *at + 24)?),
        offset: u32_at(bytes, *at + 42)? as usize,
        name: String::from_utf8_lossy(bytes.get(*at + 46..*at + 46 + name)?).into_owned(),
    };
    *at += 46 + name + extra + comment;
    Some(found)
}
