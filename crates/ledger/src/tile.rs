//! Where the tree lies in files: C2SP tlog-tiles. Tiles of height 8 hold up to 256 hashes; entry bundles hold the
//! entries under the level-0 tile of the same index. This module names the files and reads and writes the names;
//! what is in them is computed in [`crate::integrate`] and [`crate::bundle`].

use core::fmt;
use core::str::FromStr;

use crate::error::{LedgerError, Result};
use crate::hash::{HASH_BYTES, Hash};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The largest tree: keeps sizes in 63 bits, so that a consistency proof never has more than 63 hashes
/// (the limit of C2SP tlog-witness).
pub const MAX_TREE_SIZE: u64 = (1 << 63) - 1;

/// Levels that a tree of [`MAX_TREE_SIZE`] can fill.
pub(crate) const LEVELS: u8 = 8;

/// The largest level that the path syntax knows.
const MAX_LEVEL: u8 = 63;

/// A Merkle tree tile: `width` consecutive hashes at height `8 * level`, the first being number `256 * index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

impl TileId {
    /// A tile at `level` 0–63 with `width` 1–256; 256 is a full tile, anything less a partial one.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self> {
        if level > MAX_LEVEL {
            return Err(LedgerError::OutOfRange(format!(
                "tile level {level} is over {MAX_LEVEL}"
            )));
        }
        check_width(width)?;
        Ok(Self { level, index, width })
    }

    /// The tile at (`level`, `index`) as it stands in a tree of `size` leaves; `None` when it is empty there.
    pub fn at_size(level: u8, index: u64, size: u64) -> Option<Self> {
        let width = width_at(hashes_at(level, size), index)?;
        Some(Self { level, index, width })
    }

    /// 0 for leaf hashes.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Position within the level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes, 1–256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it holds 256 hashes and will never change.
    pub fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile at the same place.
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH,
            ..self
        }
    }

    /// Exact length of its file.
    pub fn len_bytes(self) -> usize {
        usize::from(self.width) * HASH_BYTES
    }

    /// Cuts a tile's file into hashes; its length must be exact.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<Hash>> {
        if bytes.len() != self.len_bytes() {
            return Err(LedgerError::Altered {
                path: self.to_string(),
                entry: None,
                reason: format!("it has {} bytes instead of {}", bytes.len(), self.len_bytes()),
            });
        }
        bytes.chunks_exact(HASH_BYTES).map(Hash::from_slice).collect()
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}", self.level, Place(self.index, self.width))
    }
}

/// An entry bundle: entries `256 * index` and following, `width` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BundleId {
    index: u64,
    width: u16,
}

impl BundleId {
    /// A bundle of 1–256 entries.
    pub fn new(index: u64, width: u16) -> Result<Self> {
        check_width(width)?;
        Ok(Self { index, width })
    }

    /// The bundle as it stands in a tree of `size` leaves; `None` when it is empty there.
    pub fn at_size(index: u64, size: u64) -> Option<Self> {
        Some(Self {
            index,
            width: width_at(size, index)?,
        })
    }

    /// Position in the log: the bundle's first entry is `256 * index`.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of entries, 1–256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it holds 256 entries and will never change.
    pub fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full bundle at the same place.
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH,
            ..self
        }
    }

    /// The leaf tile with the hashes of these entries.
    pub fn leaf_tile(self) -> TileId {
        TileId {
            level: 0,
            index: self.index,
            width: self.width,
        }
    }

    /// Index of its first entry in the log.
    pub fn first_entry(self) -> u64 {
        self.index.saturating_mul(u64::from(TILE_WIDTH))
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/entries/{}", Place(self.index, self.width))
    }
}

/// Any file of a log, by its path below the log's prefix (without a leading slash). Parsing is strict: one file has
/// exactly one path, and nothing but these paths parses, so it is also the guard of a file server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogPath {
    /// `checkpoint`, the only mutable file.
    Checkpoint,
    /// `tile/<L>/<N>[.p/<W>]`.
    Tile(TileId),
    /// `tile/entries/<N>[.p/<W>]`.
    Bundle(BundleId),
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(id) => id.fmt(f),
            Self::Bundle(id) => id.fmt(f),
        }
    }
}

impl FromStr for LogPath {
    type Err = LedgerError;

    fn from_str(path: &str) -> Result<Self> {
        parse_path(path).ok_or_else(|| {
            LedgerError::malformed(
                "log path",
                "expected checkpoint, tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]",
            )
        })
    }
}

impl FromStr for TileId {
    type Err = LedgerError;

    fn from_str(path: &str) -> Result<Self> {
        match path.parse()? {
            LogPath::Tile(id) => Ok(id),
            _ => Err(LedgerError::malformed(
                "tile path",
                "this names another file of the log",
            )),
        }
    }
}

impl FromStr for BundleId {
    type Err = LedgerError;

    fn from_str(path: &str) -> Result<Self> {
        match path.parse()? {
            LogPath::Bundle(id) => Ok(id),
            _ => Err(LedgerError::malformed(
                "bundle path",
                "this names another file of the log",
            )),
        }
    }
}

/// The longest path: level 63, seven groups, a partial width.
const MAX_PATH_BYTES: usize = 64;

fn parse_path(path: &str) -> Option<LogPath> {
    if path.len() > MAX_PATH_BYTES {
        return None;
    }
    if path == "checkpoint" {
        return Some(LogPath::Checkpoint);
    }
    let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match place.split_once(".p/") {
        Some((index, width)) => (index, decimal(width).and_then(|w| u16::try_from(w).ok())?),
        None => (place, TILE_WIDTH),
    };
    if place.contains('.') && !(1..TILE_WIDTH).contains(&width) {
        return None;
    }
    let index = parse_index(index)?;
    if level == "entries" {
        return Some(LogPath::Bundle(BundleId::new(index, width).ok()?));
    }
    let level = decimal(level).and_then(|l| u8::try_from(l).ok())?;
    Some(LogPath::Tile(TileId::new(level, index, width).ok()?))
}

/// `x001/x234/067` → 1234067. Needless leading groups are refused.
fn parse_index(text: &str) -> Option<u64> {
    let mut groups = text.split('/').rev();
    let three = |group: &str| (group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit())).then_some(());
    let last = groups.next()?;
    three(last)?;
    let mut digits = last.to_owned();
    let mut leading = last;
    let mut count = 1;
    for group in groups {
        leading = group.strip_prefix('x')?;
        three(leading)?;
        digits.insert_str(0, leading);
        count += 1;
    }
    if count > 1 && leading == "000" {
        return None;
    }
    digits.parse().ok()
}

/// ASCII decimal without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Index and width as the end of a path.
struct Place(u64, u16);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![self.0 % 1000];
        let mut rest = self.0 / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.1 < TILE_WIDTH {
            write!(f, ".p/{}", self.1)?;
        }
        Ok(())
    }
}

fn check_width(width: u16) -> Result<()> {
    if !(1..=TILE_WIDTH).contains(&width) {
        return Err(LedgerError::OutOfRange(format!(
            "a tile is 1 to {TILE_WIDTH} wide, not {width}"
        )));
    }
    Ok(())
}

/// Hashes on a tile level of a tree: ⌊size / 256^level⌋.
pub(crate) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

fn width_at(count: u64, index: u64) -> Option<u16> {
    let first = index.checked_mul(u64::from(TILE_WIDTH))?;
    let rest = count.checked_sub(first)?.min(u64::from(TILE_WIDTH));
    u16::try_from(rest).ok().filter(|w| *w > 0)
}

/// The partial tiles on the right edge of a tree, level 0 first: all the state that further growth needs.
pub fn right_edge(size: u64) -> Vec<TileId> {
    (0..LEVELS)
        .filter_map(|level| TileId::at_size(level, hashes_at(level, size) / u64::from(TILE_WIDTH), size))
        .collect()
}

/// Every tile that appears when a tree grows from `old` to `new` leaves, lower levels first. Lazy: a growth of
/// 10⁹ leaves costs nothing until it is walked.
pub fn tiles_grown(old: u64, new: u64) -> impl Iterator<Item = TileId> {
    (0..LEVELS).flat_map(move |level| {
        let (before, after) = (hashes_at(level, old), hashes_at(level, new));
        grown(before, after).filter_map(move |index| TileId::at_size(level, index, new))
    })
}

/// Every bundle that appears when a log grows from `old` to `new` entries.
pub fn bundles_grown(old: u64, new: u64) -> impl Iterator<Item = BundleId> {
    grown(old, new).filter_map(move |index| BundleId::at_size(index, new))
}

fn grown(before: u64, after: u64) -> core::ops::Range<u64> {
    let width = u64::from(TILE_WIDTH);
    if after > before {
        before / width..after.div_ceil(width)
    } else {
        0..0
    }
}
