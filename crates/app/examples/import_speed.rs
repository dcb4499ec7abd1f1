//! How fast an inventory comes in, and how much memory that takes.
//!
//! `cargo run --release -p simwarden-app --example import_speed -- ROWS [DATABASE]` writes a file of so many rows with
//! right check digits, imports it into an empty database (SQLite in a folder of its own, or the address given),
//! imports it again, and exports it.
#![expect(clippy::disallowed_methods, reason = "it measures")]

use simwarden_app::Actor;
use simwarden_app::import::{
    ExportRequest, Format, ImportGates, ImportRequest, Progress, Registry, Source, export, quarantine_path,
    run,
};
use simwarden_model::{Iccid, Imei, Plmn, Region};
use simwarden_store::{Keyring, Store};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

fn eid(n: u64) -> String {
    let body = format!("89049032{n:022}");
    let rest = body
        .bytes()
        .chain(*b"00")
        .fold(0_u64, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - rest)
}

/// Every tenth row is in stock, every seventh person has two lines.
fn generate(path: &Path, rows: u64) -> Result<u64, Box<dyn Error>> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(
        file,
        "operator,iccid,imsi,msisdn,eid,imei,profile_state,subscription_state,line_kind,party_kind,class,name,\
         document_country,document_kind,document_number,contact_phone,contact_email,language,activated_at"
    )?;
    let mut row = String::new();
    let mut bytes = 0;
    for n in 0..rows {
        row.clear();
        let iccid = Iccid::parse_without_check(&format!("8985506{n:011}"))?;
        write!(row, "456-06,{},45606{n:010},", iccid.reveal())?;
        if n % 10 == 9 {
            row.push_str(",,,available,,,,,,,,,,,,\n");
        } else {
            let imei = Imei::parse(&format!("353456{:08}", n % 100_000_000))?;
            let person = if n % 7 == 3 { n - 1 } else { n };
            writeln!(
                row,
                "+8551{:08},{},{},enabled,active,prepaid,person,ordinary,\"Sok, Dara {person}\",KHM,national_id,{:09},\
                 +85512{:06},dara{n}@example.org,km,2024-05-0{}T08:00:00Z",
                n,
                eid(n),
                imei.reveal(),
                person,
                n % 1_000_000,
                n % 9 + 1,
            )?;
        }
        bytes += row.len() as u64;
        file.write_all(row.as_bytes())?;
    }
    file.flush()?;
    Ok(bytes)
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

#[expect(clippy::cast_precision_loss, reason = "a rate to print")]
async fn import(registry: &Registry, path: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    let request = ImportRequest {
        source: Source::Path(path.to_owned()),
        format: Format::Csv,
        operator: None,
        dry_run: false,
        gates: ImportGates::default(),
        region: Region::KH,
        actor: Actor::system(),
        quarantine: Some(quarantine_path(path)),
    };
    let started = Instant::now();
    let mut stage = None;
    let mut show = |progress: Progress| {
        if stage.replace(progress.stage) != Some(progress.stage) {
            println!(
                "  {:>6.2} s {:?}, peak {} MiB",
                started.elapsed().as_secs_f64(),
                progress.stage,
                peak_mib()
            );
        }
    };
    let report = run(registry, request, &mut show).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "  {seconds:>6.2} s: {:.0} rows/s, peak {} MiB, accepted {}, {} parties, {} lines, {} profiles, {} changed, \
         {} unchanged, {} quarantined",
        rows as f64 / seconds,
        peak_mib(),
        report.accepted,
        report.parties_added,
        report.lines_added,
        report.profiles_added,
        report.changed,
        report.unchanged,
        report.counts.quarantined(),
    );
    for problem in report.problems.iter().take(3) {
        println!("  row {}: {}", problem.row, problem.reason);
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().as_deref().unwrap_or("100000").parse()?;
    let folder = std::env::temp_dir().join(format!("simwarden-import-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("inventory.csv");
    let bytes = generate(&path, rows)?;
    println!("{rows} rows, {} MiB", bytes >> 20);
    let address = arguments
        .next()
        .unwrap_or_else(|| format!("sqlite:{}", folder.join("house.db").display()));
    let registry = Registry::open(Store::open(&address).await?, Keyring::new([7; 32]));
    println!("into an empty registry:");
    import(&registry, &path, rows).await?;
    if std::env::var_os("ONCE").is_none() {
        println!("the same again:");
        import(&registry, &path, rows).await?;
        println!("out:");
        let request = ExportRequest {
            operator: Plmn::parse("456-06")?,
            format: Format::Csv,
            actor: Actor::system(),
        };
        let started = Instant::now();
        let mut out = BufWriter::new(std::fs::File::create(folder.join("export.csv"))?);
        let report = export(&registry, &request, &mut out, &mut |_| {}).await?;
        println!(
            "  {:>6.2} s: {} rows, peak {} MiB",
            started.elapsed().as_secs_f64(),
            report.rows,
            peak_mib()
        );
    }
    registry.store.close().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
