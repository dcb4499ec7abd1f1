//! Watches the built pages, so that a new build of them is embedded anew.

use std::path::Path;

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    // A watched folder that does not exist would make every build a rebuild. In a read-only tree it may stay away.
    let _ = std::fs::create_dir_all(&dist);
    println!("cargo:rerun-if-changed={}", dist.display());
}
