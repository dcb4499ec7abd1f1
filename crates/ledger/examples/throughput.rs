//! Prints how many entries per second one core hashes, integrates into tiles, and proves.
//!
//! `cargo run --release -p simwarden-ledger --example throughput`

use std::collections::HashMap;
use std::time::Instant;

use simwarden_ledger::{
    Hash, LedgerError, Prover, TreeState, grow_bundles, integrate, leaf_hash, verify_inclusion,
};

const ENTRIES: u32 = 1_000_000;
/// Entries integrated at once: what gathers in a fifth of a second at 20,000 a second.
const BATCH: usize = 4_000;
const ENTRY_BYTES: usize = 300;

fn main() -> Result<(), LedgerError> {
    let entries: Vec<Vec<u8>> = (0..ENTRIES)
        .map(|i| i.to_be_bytes().repeat(ENTRY_BYTES / 4))
        .collect();

    let start = now();
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    report("leaf hashes", leaves.len(), start);

    let start = now();
    let (mut state, mut tiles) = (TreeState::empty(), HashMap::new());
    for batch in leaves.chunks(BATCH) {
        let growth = integrate(&state, batch)?;
        tiles.extend(growth.tiles);
        state = growth.state;
    }
    report("leaves integrated", leaves.len(), start);

    let start = now();
    let (mut size, mut edge) = (0, Vec::new());
    for batch in entries.chunks(BATCH) {
        let growth = grow_bundles(size, &edge, batch)?;
        (size, edge) = (growth.size, growth.edge);
    }
    report("entries bundled", entries.len(), start);

    let start = now();
    let source = |id| tiles.get(&id).cloned().ok_or_else(|| LedgerError::missing(id));
    let mut prover = Prover::new(source, state.size())?;
    let newest = state.size() - u64::try_from(BATCH).unwrap_or(0);
    let proofs = (newest..state.size())
        .map(|i| prover.inclusion(i))
        .collect::<Result<Vec<_>, _>>()?;
    report("inclusion proofs", proofs.len(), start);

    let root = state.root();
    for (index, (proof, leaf)) in (newest..).zip(proofs.iter().zip(&leaves[leaves.len() - BATCH..])) {
        verify_inclusion(leaf, index, state.size(), &root, proof)?;
    }
    println!("{} tiles, root {root}", tiles.len());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

fn report(what: &str, count: usize, start: Instant) {
    let millis = start.elapsed().as_millis().max(1);
    println!("{what:>18}: {:>10} per second", count as u128 * 1000 / millis);
}
