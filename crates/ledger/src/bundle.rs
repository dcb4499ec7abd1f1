//! Entry bundles, C2SP tlog-tiles "Log entries": each entry after its length as a 16-bit big-endian number.
//! Reading is strict: exactly as many entries as the bundle is wide, and not a byte more.

use crate::error::{LedgerError, Result};
use crate::hash::{Hash, leaf_hash};
use crate::tile::{BundleId, MAX_TREE_SIZE, TILE_WIDTH};

/// The longest entry that a bundle can hold.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Appends one entry to a bundle's bytes.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<()> {
    let length = u16::try_from(entry.len()).map_err(|_| LedgerError::TooLarge {
        what: "log entry, bytes",
        got: entry.len() as u64,
        max: MAX_ENTRY_BYTES as u64,
    })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle's file, in order.
pub fn decode_bundle(id: BundleId, bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let (entries, rest) = decodable_prefix(id, bytes);
    let altered = |reason: String| LedgerError::Altered {
        path: id.to_string(),
        entry: Some(id.first_entry().saturating_add(entries.len() as u64)),
        reason,
    };
    if entries.len() < usize::from(id.width()) {
        return Err(altered(format!(
            "it ends within entry {} of {}",
            entries.len() + 1,
            id.width()
        )));
    }
    if !rest.is_empty() {
        return Err(altered(format!("{} bytes follow its last entry", rest.len())));
    }
    Ok(entries)
}

/// As many whole entries as can be read, at most the bundle's width, and the bytes left over.
pub(crate) fn decodable_prefix(id: BundleId, bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut entries = Vec::with_capacity(usize::from(id.width()));
    let mut rest = bytes;
    while entries.len() < usize::from(id.width()) {
        let Some((length, after)) = rest.split_first_chunk::<2>() else {
            break;
        };
        let Some((entry, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            break;
        };
        entries.push(entry);
        rest = after;
    }
    (entries, rest)
}

/// The leaf hashes of a bundle's file: the content of its level-0 tile.
pub fn bundle_leaf_hashes(id: BundleId, bytes: &[u8]) -> Result<Vec<Hash>> {
    Ok(decode_bundle(id, bytes)?.into_iter().map(leaf_hash).collect())
}

/// What appending entries does to the bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleGrowth {
    /// Files to write, oldest first; only the last may be partial.
    pub bundles: Vec<(BundleId, Vec<u8>)>,
    /// Bytes of the partial bundle at the right edge (empty after a full one): pass it to the next growth.
    pub edge: Vec<u8>,
    /// Number of entries in the log now.
    pub size: u64,
}

/// Appends `entries` to a log of `old_size` entries whose right-edge partial bundle is `edge` (empty when
/// `old_size` is a multiple of 256).
pub fn grow_bundles<E: AsRef<[u8]>>(old_size: u64, edge: &[u8], entries: &[E]) -> Result<BundleGrowth> {
    let width = u64::from(TILE_WIDTH);
    let mut size = old_size;
    let mut open = edge.to_vec();
    match BundleId::at_size(old_size / width, old_size) {
        Some(id) => drop(decode_bundle(id, edge)?),
        None if edge.is_empty() => {}
        None => {
            return Err(LedgerError::OutOfRange(format!(
                "a log of {old_size} entries has no partial bundle"
            )));
        }
    }
    if entries.len() as u64 > MAX_TREE_SIZE.saturating_sub(old_size) {
        return Err(LedgerError::OutOfRange(
            "the log would outgrow its largest size".into(),
        ));
    }
    let mut bundles = Vec::with_capacity(entries.len() / usize::from(TILE_WIDTH) + 1);
    for entry in entries {
        encode_entry(&mut open, entry.as_ref())?;
        size += 1;
        if size.is_multiple_of(width) {
            bundles.push((
                BundleId::new(size / width - 1, TILE_WIDTH)?,
                core::mem::take(&mut open),
            ));
        }
    }
    if size > old_size
        && let Some(id) = BundleId::at_size(size / width, size)
    {
        bundles.push((id, open.clone()));
    }
    Ok(BundleGrowth {
        bundles,
        edge: open,
        size,
    })
}
