//! What cargo knows of the workspace and everything it depends on, for this platform, without the network.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::Command;

#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    pub dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub struct Dependency {
    pub name: String,
    /// None: a normal dependency; else `dev` or `build`.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    features: Vec<String>,
}

impl Metadata {
    pub fn read() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let host = String::from_utf8(Command::new(&cargo).arg("-vV").output().unwrap().stdout).unwrap();
        let host = host
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .expect("cargo names its host");
        let output = Command::new(cargo)
            .args([
                "metadata",
                "--format-version=1",
                "--offline",
                "--locked",
                "--filter-platform",
            ])
            .arg(host)
            .current_dir(crate::tree::root())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The features that are switched on, by name of the package.
    pub fn features(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut features: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in &self.resolve.nodes {
            let package = self
                .packages
                .iter()
                .find(|p| p.id == node.id)
                .expect("resolved packages are listed");
            features
                .entry(&package.name)
                .or_default()
                .extend(node.features.iter().map(String::as_str));
        }
        features
    }
}
