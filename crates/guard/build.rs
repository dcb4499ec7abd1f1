//! Lists the files of `policies/` so that the binary carries the built-in packs.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../policies");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for pack in fs::read_dir(&root)? {
        let pack = pack?.path();
        if !pack.is_dir() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", pack.display());
        for file in fs::read_dir(&pack)? {
            let file = file?.path();
            println!("cargo:rerun-if-changed={}", file.display());
            let name = file
                .strip_prefix(&root)
                .map_err(io::Error::other)?
                .to_string_lossy()
                .into_owned();
            files.push((name, file));
        }
    }
    files.sort();
    let mut text = String::from(
        "/// The files of `policies/`: path and text.\npub(crate) static FILES: &[(&str, &str)] = &[\n",
    );
    for (name, file) in files {
        text += &format!("({name:?}, include_str!({:?})),\n", file.canonicalize()?);
    }
    text += "];\n";
    fs::write(
        Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("packs.rs"),
        text,
    )
}
