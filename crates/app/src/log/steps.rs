//! Where the sequencer can be made to fail. Nothing is injected outside of tests.

use std::io;

/// A step that leaves a trace outside of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// One hash tile becomes durable.
    Tile,
    /// One entry bundle becomes durable.
    Bundle,
    /// The names of new files become durable.
    Names,
    /// The checkpoint is swapped in the database.
    Swap,
    /// Cosignatures are added to the checkpoint in the database.
    Cosign,
    /// The `checkpoint` file is replaced.
    Publish,
}

/// Is asked around every step: an error before it stands for "failed and nothing was written", one after it for
/// "written, but reported as failed".
pub(crate) trait Steps: Send + Sync {
    fn before(&self, step: Step) -> io::Result<()>;
    fn after(&self, step: Step) -> io::Result<()>;
}

/// Nothing fails on purpose.
pub(crate) struct Undisturbed;

impl Steps for Undisturbed {
    fn before(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
    fn after(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}
