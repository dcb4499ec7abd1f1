//! Measures the link check on a labelled file: recall by kind, false alarms, checks a second of processor time.
//!
//! `bench_links FILE [--brands FILE] [--blocklist FILE] [--model FILE] [--show N]`; the file has lines `address,label[,kind]`.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::cast_precision_loss, reason = "counts of lines")]

use simwarden_checkup::link::{
    Blocklist, Brand, Labelled, Lexical, LinkChecker, Reason, Verdict, read_labelled,
};
use simwarden_checkup::texts::Language;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

#[derive(Default)]
struct Counts {
    all: usize,
    dangerous: usize,
    flagged: usize,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        self.all += 1;
        self.dangerous += usize::from(verdict == Verdict::Dangerous);
        self.flagged += usize::from(verdict >= Verdict::Suspicious);
    }

    fn print(&self, name: &str) {
        let share = |n: usize| 100.0 * n as f64 / self.all.max(1) as f64;
        println!(
            "{name:<24} {:>8}   dangerous {:>8} {:>8.3} %   dangerous or suspicious {:>8} {:>8.3} %",
            self.all,
            self.dangerous,
            share(self.dangerous),
            self.flagged,
            share(self.flagged)
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut file, mut brands, mut blocklist, mut model, mut show) = (None, Vec::new(), None, None, 0usize);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--brands" => brands.extend(Brand::read(&std::fs::read_to_string(value()?)?)?),
            "--blocklist" => blocklist = Some(Blocklist::read(&std::fs::read(value()?)?, 0)?),
            "--model" => model = Some(Lexical::read(&std::fs::read(value()?)?)?),
            "--show" => show = value()?.parse()?,
            _ => file = Some(argument),
        }
    }
    let file = file.ok_or("bench-links wants a labelled file: address,label[,kind]")?;
    let rows = read_labelled(&std::fs::read_to_string(file)?)?;
    let mut checker = LinkChecker::new(brands)?;
    if let Some(list) = blocklist {
        checker = checker.with_blocklist(list);
    }
    if let Some(model) = model {
        checker = checker.with_model(model);
    }
    let began = Instant::now();
    let found: Vec<(Verdict, Vec<Reason>)> = rows
        .iter()
        .map(|row| {
            let report = checker.check(&row.address, 1, Language::En);
            (report.verdict, report.reasons)
        })
        .collect();
    let seconds = began.elapsed().as_secs_f64();
    report(&rows, &found, show);
    println!(
        "{:.0} checks a second on one core",
        rows.len() as f64 / seconds.max(1e-9)
    );
    Ok(())
}

fn report(rows: &[Labelled], found: &[(Verdict, Vec<Reason>)], show: usize) {
    let (mut bad, mut good) = (Counts::default(), Counts::default());
    let mut kinds: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut shown = [0usize; 2];
    for (row, (verdict, reasons)) in rows.iter().zip(found) {
        if row.bad {
            bad.add(*verdict);
            if let Some(kind) = &row.kind {
                kinds.entry(kind).or_default().add(*verdict);
            }
        } else {
            good.add(*verdict);
        }
        let wrong = row.bad == (*verdict < Verdict::Suspicious);
        if wrong && shown[usize::from(row.bad)] < show {
            shown[usize::from(row.bad)] += 1;
            let what = if row.bad { "missed" } else { "false alarm" };
            println!("{what}: {} {} {reasons:?}", row.address, verdict.word());
        }
    }
    for (kind, counts) in &kinds {
        counts.print(kind);
    }
    bad.print("all bad: recall");
    good.print("all good: false alarms");
}
