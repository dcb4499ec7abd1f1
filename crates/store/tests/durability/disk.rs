//! Small disks of the tests' own: images that are mounted through loop devices.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Runs a program; its error as text when it fails.
pub fn run(program: &str, args: &[&str]) -> Result<(), String> {
    // mkfs and losetup live where not everybody looks.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program)
        .args(args)
        .env("PATH", path)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!(
            "{program} {args:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}

/// A mounted image; unmounted when dropped.
pub struct Mount {
    pub at: PathBuf,
}

impl Mount {
    pub fn new(image: &Path, at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|e| e.to_string())?;
        run("mount", &["-o", "loop", text(image), text(at)])?;
        Ok(Self { at: at.to_owned() })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A process that was just killed may hold it for a moment longer; a lazy unmount waits for it.
        if run("umount", &[text(&self.at)]).is_err() {
            let _ = run("umount", &["--lazy", text(&self.at)]);
        }
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes an image with a file system in it.
pub fn format(image: &Path, bytes: u64, mkfs: &[&str]) -> Result<(), String> {
    let file = std::fs::File::create(image).map_err(|e| e.to_string())?;
    file.set_len(bytes).map_err(|e| e.to_string())?;
    run(mkfs[0], &[&mkfs[1..], &[text(image)]].concat())
}

/// An ext4 disk that lies as a file on XFS, where a copy of it costs nothing and is taken at one instant: the disk as
/// a power cut would leave it, with what the file system had handed down and without what it still kept in memory.
pub struct CuttableDisk {
    // In this order they are unmounted and removed.
    pub disk: Mount,
    below: Mount,
    folder: TempDir,
}

impl CuttableDisk {
    pub fn new() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let image = folder.path().join("xfs.img");
        format(&image, 2 << 30, &["mkfs.xfs", "-q", "-m", "reflink=1"])?;
        let below = Mount::new(&image, &folder.path().join("below"))?;
        let image = below.at.join("disk.img");
        format(&image, 512 << 20, &["mkfs.ext4", "-q", "-F"])?;
        let disk = Mount::new(&image, &folder.path().join("disk"))?;
        Ok(Self { disk, below, folder })
    }

    /// Cuts the power, as seen from a second machine: the disk at this instant, mounted anew.
    pub fn cut(&self) -> Result<Mount, String> {
        let (image, copy) = (self.below.at.join("disk.img"), self.below.at.join("cut.img"));
        let _ = std::fs::remove_file(&copy);
        run("cp", &["--reflink=always", text(&image), text(&copy)])?;
        Mount::new(&copy, &self.folder.path().join("cut"))
    }
}
