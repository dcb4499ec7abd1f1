//! A registry of one test's own, and inventories to import into it.

use simwarden_app::import::{
    Counts, ExportReport, ExportRequest, Format, ImportGates, ImportReport, ImportRequest, Registry, Source,
    export, run,
};
use simwarden_app::log::fsck;
use simwarden_app::{Actor, Error};
use simwarden_ledger::{KeyKind, NoteSigner};
use simwarden_model::{Iccid, Imei, Plmn, Region};
use simwarden_store::{BlindIndex, Indexed, Keyring, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::future::Future;
use std::path::PathBuf;
use tempfile::TempDir;

pub const HEADER: &str = "operator,iccid,imsi,msisdn,eid,imei,profile_state,name,document_country,document_kind,\
                          document_number,contact_phone";

/// One test's registry.
pub struct Desk {
    pub registry: Registry,
    pub folder: TempDir,
}

pub fn iccid(n: u64) -> String {
    Iccid::parse_without_check(&format!("8985506{n:011}"))
        .unwrap()
        .reveal()
        .to_owned()
}

pub fn imei(n: u64) -> String {
    Imei::parse(&format!("353456{n:08}")).unwrap().reveal().to_owned()
}

pub fn eid(n: u64) -> String {
    let body = format!("89049032{n:022}");
    let rest = body
        .bytes()
        .chain(*b"00")
        .fold(0_u64, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - rest)
}

/// A line with its owner and everything expected.
pub fn row(n: u64) -> String {
    format!(
        "456-06,{},45606{n:010},+8551{n:08},{},{},enabled,Sok Dara {n},KHM,national_id,{n:09},+85512{n:06}",
        iccid(n),
        eid(n),
        imei(n)
    )
}

/// A profile in stock.
pub fn stock(n: u64) -> String {
    format!("456-06,{},45606{n:010},,,,available,,,,,", iccid(n))
}

pub fn file(rows: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

/// Gates that let everything pass.
pub fn open_gates() -> ImportGates {
    ImportGates {
        malformed_share_max: 1.0,
        unknown_share_max: 1.0,
        duplicate_share_max: 1.0,
        foreign_share_max: 1.0,
        conflict_share_max: 1.0,
        volume_ratio_min: 0.0,
        volume_ratio_max: f64::MAX,
        ..ImportGates::default()
    }
}

impl Desk {
    async fn open(address: &str, folder: TempDir) -> Self {
        let store = Store::open(address).await.unwrap();
        Self {
            registry: Registry::open(store, Keyring::new([7; 32])),
            folder,
        }
    }

    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", folder.path().join("house.db").display());
        Self::open(&address, folder).await
    }

    async fn postgres(server: &str, name: &str) -> Self {
        let mut connection = PgConnection::connect(server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let (before, _) = server.rsplit_once('/').unwrap();
        Self::open(&format!("{before}/{name}"), tempfile::tempdir().unwrap()).await
    }

    pub fn request(&self, text: impl Into<Vec<u8>>) -> ImportRequest {
        ImportRequest {
            source: Source::Reader {
                reader: Box::new(std::io::Cursor::new(text.into())),
                name: "inventory.csv".to_owned(),
            },
            format: Format::Csv,
            operator: None,
            dry_run: false,
            gates: open_gates(),
            region: Region::KH,
            actor: Actor::system(),
            quarantine: Some(self.quarantine()),
        }
    }

    pub fn quarantine(&self) -> PathBuf {
        self.folder.path().join("inventory.csv.quarantine.csv")
    }

    pub async fn run(&self, request: ImportRequest) -> Result<ImportReport, Error> {
        run(&self.registry, request, &mut |_| {}).await
    }

    /// Imports a CSV file that must be accepted.
    pub async fn import(&self, text: String) -> ImportReport {
        let report = self.run(self.request(text)).await.unwrap();
        assert!(report.accepted, "{report:?}");
        report
    }

    pub async fn export(&self, format: Format) -> (String, ExportReport) {
        let mut out = Vec::new();
        let request = ExportRequest {
            operator: Plmn::parse("456-06").unwrap(),
            format,
            actor: Actor::system(),
        };
        let report = export(&self.registry, &request, &mut out, &mut |_| {})
            .await
            .unwrap();
        (String::from_utf8(out).unwrap(), report)
    }

    pub fn index(&self, of: Indexed, text: &str) -> BlindIndex {
        self.registry.keyring.index(of, text.as_bytes())
    }

    /// How many entries the ledger has.
    pub async fn entries(&self) -> i64 {
        self.registry.store.ledger_end().await.unwrap().0
    }

    /// Every row is as the ledger says.
    pub async fn check(&self) {
        let key = NoteSigner::from_seed("test.example/log", KeyKind::Note, &[3; 32]).unwrap();
        let report = fsck(&self.registry.store, None, key.verifier()).await.unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        assert!(report.rows > 0);
    }
}

/// Rows of each sort: all, malformed, duplicate, foreign, conflict.
pub fn sorts(counts: &Counts) -> [u64; 5] {
    [
        counts.rows,
        counts.malformed,
        counts.duplicate,
        counts.foreign,
        counts.conflict,
    ]
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Desk) -> F) {
    block_on(async { test(Desk::sqlite().await).await });
}

pub fn on_postgres<F: Future<Output = ()>>(path: &str, test: impl FnOnce(Desk) -> F) {
    let Ok(server) = std::env::var("SIMWARDEN_TEST_PG") else {
        println!("SKIPPED on PostgreSQL: SIMWARDEN_TEST_PG names no server");
        return;
    };
    let name = format!("import_{}", path.replace("::", "_"));
    block_on(async { test(Desk::postgres(&server, &name[..name.len().min(60)]).await).await });
}

/// Makes of each async function two tests, one on each database.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($desk:ident: Desk) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            async fn test($desk: Desk) $body
            #[test]
            fn sqlite() {
                $crate::desk::on_sqlite(test);
            }
            #[test]
            fn postgres() {
                let path = module_path!();
                $crate::desk::on_postgres(path.split_once("::").map_or(path, |(_, name)| name), test);
            }
        }
    )+};
}
pub(crate) use on_both;
