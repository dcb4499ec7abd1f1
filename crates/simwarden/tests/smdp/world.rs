//! A real server process on a data folder of its own, chips of its test PKI, and a phone that speaks HTTPS.

use serde_json::{Value, json};
use simwarden_app::OsEntropy;
use simwarden_euicc::lpa::{self, Download, Next, Outcome, Request};
use simwarden_euicc::pki::{Pki, PkiOptions};
use simwarden_euicc::{ActivationCode, ChipSettings, Device, Euicc};
use simwarden_model::{Eid, Entropy as _, Iccid, Imei, Imsi};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub const EID: &str = "89049032123451234512345678901235";
pub const HOST: &str = "localhost";

pub struct World {
    folder: TempDir,
    pub pki: Pki,
    pub chance: OsEntropy,
    server: Option<Child>,
    base: String,
    pub es2plus: String,
    agent: ureq::Agent,
}

/// What a phone heard.
pub struct Heard {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Heard {
    /// The codes of a refusal; empty for anything else.
    pub fn codes(&self) -> (String, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let data = &body["header"]["functionExecutionStatus"]["statusCodeData"];
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        (text("subjectCode"), text("reasonCode"))
    }
}

pub fn eid(n: usize) -> Eid {
    let body = format!("890490320000000000000000{n:06}");
    (0..100)
        .find_map(|check| Eid::parse(&format!("{body}{check:02}")).ok())
        .unwrap()
}

impl World {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_simwarden"))
            .args(["pki", "init"])
            .arg(folder.path().join("pki"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        Self::with_pki(folder)
    }

    /// On a folder in which `pki` stands already.
    pub fn with_pki(folder: TempDir) -> Self {
        let begin = "2026-01-01T00:00:00Z".parse().unwrap();
        let pki = folder.path().join("pki");
        let read = &mut |name: &str| std::fs::read(pki.join(name)).ok();
        let pki = Pki::from_files(PkiOptions::new(begin, HOST), read);
        let tls = ureq::tls::TlsConfig::builder().disable_verification(true).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false);
        Self {
            pki: pki.unwrap(),
            folder,
            chance: OsEntropy::new().unwrap(),
            server: None,
            base: String::new(),
            es2plus: String::new(),
            agent: config.build().new_agent(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_simwarden"))
            .args(args)
            .env("SIMWARDEN_DATA", self.path("data"))
            .output()
            .unwrap()
    }

    pub fn must(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Makes a sample profile and imports it; answers its bytes.
    pub fn profile(&mut self, n: u32) -> (Iccid, Vec<u8>) {
        self.profile_of(n, "456-01")
    }

    /// As [`Self::profile`], of another operator.
    pub fn profile_of(&mut self, n: u32, operator: &str) -> (Iccid, Vec<u8>) {
        let iccid = Iccid::parse_vouched(&format!("89855010000000{n:05}")).unwrap().0;
        let imsi = Imsi::parse(&format!("45601000000{n:04}")).unwrap();
        let package = simwarden_rsp::profile::sample(&iccid, &imsi, &mut self.chance).unwrap();
        let file = self.path(&format!("profile-{n}.der"));
        std::fs::write(&file, &*package).unwrap();
        self.must(&[
            "profile",
            "import",
            file.to_str().unwrap(),
            "--operator",
            operator,
        ]);
        (iccid, package.to_vec())
    }

    pub fn try_orders(&self, orders: &[Value]) -> Output {
        let file = self.path("orders.jsonl");
        let mut out = std::fs::File::create(&file).unwrap();
        for order in orders {
            writeln!(out, "{order}").unwrap();
        }
        self.run(&["profile", "orders", "import", file.to_str().unwrap()])
    }

    pub fn orders(&self, orders: &[Value]) {
        let out = self.try_orders(orders);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn serve(&mut self) {
        self.serve_with(&[]);
    }

    /// With further options; what follows "operators' systems order on " is kept when `--es2plus-listen` is among them.
    pub fn serve_with(&mut self, options: &[&str]) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_simwarden"))
            .args(["serve", "--listen", "127.0.0.1:0", "--smdp-listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(self.path("data"))
            .arg("--smdp")
            .arg(self.path("pki"))
            .args(options)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        self.server = Some(child);
        let mut said = |marker: &str| {
            let address = lines
                .by_ref()
                .map_while(Result::ok)
                .inspect(|line| println!("server: {line}"))
                .find_map(|line| line.strip_prefix(marker).map(str::to_owned));
            format!("https://{}", address.expect("the server says where it listens"))
        };
        self.base = said("the SM-DP+ listens on ");
        if options.contains(&"--es2plus-listen") {
            self.es2plus = said("operators' systems order on ");
        }
        // Read on, so that it never waits for somebody to read.
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| println!("server: {line}"))
        });
    }

    /// Ends the server without a word, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// The details of the ledger's entries of one kind, in order.
    pub fn details(&self, kind: &str) -> Vec<String> {
        let sql = "SELECT body FROM ledger_entry WHERE kind = ?1 ORDER BY idx";
        let database = self.database();
        let mut found = database.prepare(sql).unwrap();
        let bodies = found.query_map([kind], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        bodies
            .map(|body| String::from_utf8_lossy(&body.unwrap()).into_owned())
            .collect()
    }

    /// How many entries the ledger has.
    pub fn entries(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM ledger_entry";
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// How many orders are in a state.
    pub fn orders_in(&self, state: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM smdp_order WHERE state = ?1";
        self.database().query_row(sql, [state], |row| row.get(0)).unwrap()
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("data/simwarden.db")).unwrap()
    }

    pub fn chip(&mut self, eid: Eid) -> Euicc {
        let identity = self.pki.chip(eid, &mut self.chance).unwrap();
        Euicc::new(identity, ChipSettings::default())
    }

    pub fn phone(&self) -> Phone {
        Phone {
            base: self.base.clone(),
            agent: self.agent.clone(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A phone: it carries what chip and server say to each other.
#[derive(Clone)]
pub struct Phone {
    base: String,
    agent: ureq::Agent,
}

pub fn device() -> Device {
    Device::of(&Imei::parse("490154203237518").unwrap())
}

/// Chance for a chip.
pub fn chance() -> OsEntropy {
    let mut chance = OsEntropy::new().unwrap();
    chance.fill(&mut [0; 1]);
    chance
}

impl Phone {
    pub fn raw(&self, path: &str, body: &[u8]) -> Heard {
        self.try_raw(path, body).unwrap()
    }

    /// As [`Self::raw`], where the server may be gone.
    pub fn try_raw(&self, path: &str, body: &[u8]) -> Result<Heard, ureq::Error> {
        let mut answer = self
            .agent
            .post(&format!("{}{path}", self.base))
            .header("x-admin-protocol", "gsma/rsp/v2.2.2")
            .header("content-type", "application/json")
            .send(body)?;
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        Ok(Heard {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            body: answer.body_mut().read_to_vec()?,
        })
    }

    /// One download; none when the server was gone before its end.
    pub fn try_download(&self, chip: &mut Euicc, matching_id: &str) -> Option<Outcome> {
        let (mut download, mut request) = self.begin(chip, matching_id);
        loop {
            let heard = self
                .try_raw(&request.path(), request.body.to_string().as_bytes())
                .ok()?;
            match self.hand(chip, &mut download, &heard) {
                Next::Ask(following) => request = following,
                Next::Done(outcome) => return Some(outcome),
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn call(&self, request: &Request) -> Heard {
        self.raw(&request.path(), request.body.to_string().as_bytes())
    }

    /// One download to its end; `codes` are typed in order. Every call is kept in `calls`.
    pub fn download_with(
        &self,
        chip: &mut Euicc,
        matching_id: &str,
        codes: &[&str],
        calls: &mut Vec<Request>,
    ) -> Outcome {
        let mut chance = chance();
        let mut es10 = |command: &[u8]| chip.process(command, &mut chance);
        let code = ActivationCode::parse(&format!("LPA:1${HOST}${matching_id}")).unwrap();
        let mut codes = codes.iter();
        let (mut download, mut request) = Download::begin(&mut es10, code, device(), None).unwrap();
        loop {
            let heard = self.call(&request);
            assert!(
                heard.status < 500,
                "{} answered {}",
                request.function,
                heard.status
            );
            calls.push(request);
            let mut next = download.answer(&mut es10, heard.status, &heard.body).unwrap();
            if let Next::AskConfirmationCode { .. } = next {
                next = match codes.next() {
                    Some(code) => download.confirm(&mut es10, code).unwrap(),
                    None => download.cancel(&mut es10, lpa::CancelReason::Timeout).unwrap(),
                };
            }
            match next {
                Next::Ask(following) => request = following,
                Next::Done(outcome) => return outcome,
                Next::AskConfirmationCode { .. } => unreachable!("asked only after a call"),
            }
        }
    }

    pub fn download(&self, chip: &mut Euicc, matching_id: &str, codes: &[&str]) -> Outcome {
        self.download_with(chip, matching_id, codes, &mut Vec::new())
    }

    /// The first call of a download, not made.
    pub fn begin(&self, chip: &mut Euicc, matching_id: &str) -> (Download, Request) {
        let mut chance = chance();
        let mut es10 = |command: &[u8]| chip.process(command, &mut chance);
        let code = ActivationCode::parse(&format!("LPA:1${HOST}${matching_id}")).unwrap();
        Download::begin(&mut es10, code, device(), None).unwrap()
    }

    /// Calls up to getBoundProfilePackage, which is not made.
    pub fn until_package(&self, chip: &mut Euicc, matching_id: &str) -> (Download, Request) {
        let (mut download, mut request) = self.begin(chip, matching_id);
        for _ in 0..2 {
            let heard = self.call(&request);
            match self.hand(chip, &mut download, &heard) {
                Next::Ask(next) => request = next,
                other => panic!("{other:?}"),
            }
        }
        (download, request)
    }

    /// Calls up to and including getBoundProfilePackage, whose answer is not loaded: the line broke.
    pub fn fetch_only(&self, chip: &mut Euicc, matching_id: &str) -> Heard {
        let (_, request) = self.until_package(chip, matching_id);
        self.call(&request)
    }

    /// Hands an answer to the chip; what it wants to send next.
    pub fn hand(&self, chip: &mut Euicc, download: &mut Download, heard: &Heard) -> Next {
        let mut chance = chance();
        let mut es10 = |command: &[u8]| chip.process(command, &mut chance);
        download.answer(&mut es10, heard.status, &heard.body).unwrap()
    }

    /// The person, or the program, gives up.
    pub fn give_up(&self, chip: &mut Euicc, download: &mut Download, why: lpa::CancelReason) -> Heard {
        let mut chance = chance();
        let mut es10 = |command: &[u8]| chip.process(command, &mut chance);
        match download.cancel(&mut es10, why).unwrap() {
            Next::Ask(request) => self.call(&request),
            other => panic!("{other:?}"),
        }
    }

    /// Delivers what waits on the chip.
    pub fn deliver(&self, chip: &mut Euicc) -> usize {
        let mut chance = chance();
        let mut es10 = |command: &[u8]| chip.process(command, &mut chance);
        let waiting = lpa::pending_notifications(&mut es10).unwrap();
        for pending in &waiting {
            let heard = self.call(&pending.request);
            assert_eq!((heard.status, heard.body.len()), (204, 0));
            assert!(lpa::notification_sent(&mut es10, pending.seq).unwrap());
        }
        waiting.len()
    }

    /// A chip's own command.
    pub fn on_chip<T>(
        &self,
        chip: &mut Euicc,
        run: impl FnOnce(lpa::Es10<'_>) -> simwarden_euicc::Result<T>,
    ) -> T {
        let mut chance = chance();
        run(&mut |command: &[u8]| chip.process(command, &mut chance)).unwrap()
    }
}

/// The refusal of a download.
pub fn refusal(outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Refused(refusal) => (refusal.subject.clone(), refusal.reason.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn codes(subject: &str, reason: &str) -> (String, String) {
    (subject.to_owned(), reason.to_owned())
}

pub fn released(iccid: &Iccid, matching_id: &str) -> Value {
    json!({ "iccid": iccid.reveal(), "matching_id": matching_id })
}

/// Published test material, where it is there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let path = root.join("shared/data").join(name);
    if !path.exists() {
        println!("SKIPPED: no {}", path.display());
        return None;
    }
    Some(path)
}
