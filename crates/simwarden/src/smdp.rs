//! The files of an SM-DP+: certificates and keys in one folder, as `simwarden pki init` writes them.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use simwarden_rsp::certificate::Certificate;
use simwarden_rsp::key::{Credential, LocalKey};
use simwarden_rsp::{Identity, Server};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The file that says by which host name chips reach the server.
pub const ADDRESS_FILE: &str = "address.txt";
/// Goes into the key derivation of bound packages.
const HOST_ID: &[u8] = b"simwarden";
/// From initiateAuthentication to getBoundProfilePackage: a person may have to find a code in between.
const SESSION_LIFE: Duration = Duration::from_secs(15 * 60);

/// An SM-DP+ to be served.
pub struct SmdpConfig {
    /// Certificates and keys.
    pub folder: PathBuf,
    /// Where to listen; port 0 takes any free one.
    pub listen: std::net::SocketAddr,
    /// By which host name chips reach it, when not the one in the folder.
    pub address: Option<String>,
    /// The listener for operators' systems.
    pub es2plus: Option<Es2plusConfig>,
}

/// Orders by operators' systems.
pub struct Es2plusConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: std::net::SocketAddr,
    /// The roots of client certificates, PEM or one DER; the folder's `ci.der` when left out.
    pub roots: Option<PathBuf>,
    /// Whose profiles a certificate may touch that was not entered for anybody.
    pub owner: Option<String>,
}

/// The roots of operators' client certificates.
pub fn client_roots(config: &SmdpConfig, es2plus: &Es2plusConfig) -> anyhow::Result<Vec<u8>> {
    match &es2plus.roots {
        Some(file) => std::fs::read(file).with_context(|| format!("cannot read {}", file.display())),
        None => read(&config.folder, "ci.der"),
    }
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let file = folder.join(name);
    std::fs::read(&file).with_context(|| {
        format!(
            "cannot read {}; `simwarden pki init` makes such a folder for tests",
            file.display()
        )
    })
}

/// By which host name chips reach the server whose files these are.
pub fn address(folder: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read(folder, ADDRESS_FILE)?)?;
    Ok(text.trim().to_owned())
}

/// The one block of a PEM file.
pub fn pem(text: &[u8]) -> anyhow::Result<Vec<u8>> {
    let text = std::str::from_utf8(text)?;
    let inside: String = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    Ok(BASE64.decode(inside.trim())?)
}

fn credential(folder: &Path, name: &str) -> anyhow::Result<Credential> {
    let certificate = Certificate::parse(&read(folder, &format!("{name}.der"))?)
        .with_context(|| format!("{name}.der is no certificate"))?;
    let key = read(folder, &format!("{name}.key.pem"))?;
    let key = pem(&key).with_context(|| format!("{name}.key.pem is no PEM"))?;
    let key = LocalKey::from_der(&key).with_context(|| format!("{name}.key.pem"))?;
    Credential::new(certificate, Arc::new(key)).with_context(|| name.to_owned())
}

/// Reads and pairs everything that the SM-DP+ signs with.
pub fn server(config: &SmdpConfig) -> anyhow::Result<Server> {
    let folder = &config.folder;
    if !folder.is_dir() {
        bail!(
            "there is no folder {}; `simwarden pki init` makes one for tests",
            folder.display()
        );
    }
    let ci = Certificate::parse(&read(folder, "ci.der")?).context("ci.der is no certificate")?;
    let identity = Identity::new(ci, credential(folder, "dpauth")?, credential(folder, "dppb")?)?;
    let address = match &config.address {
        Some(address) => address.clone(),
        None => address(folder)?,
    };
    Ok(Server::new(&address, HOST_ID, vec![identity], SESSION_LIFE)?)
}

/// The TLS certificate chain and its key, PEM.
pub fn tls(folder: &Path) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    Ok((read(folder, "dptls.pem")?, read(folder, "dptls.key.pem")?))
}
