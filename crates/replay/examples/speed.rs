//! `speed RULES FILE [WORKERS] [LATENESS]`: the floor, then the engine, on one file; wall time of each and the counts.
//!
//! Measure the processor time of each outside, with `floor` in place of RULES for the floor alone.

use simwarden_replay::{Replay, floor, rules_in, run};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, rules, file, ..] = args.as_slice() else {
        return Err("speed RULES|floor FILE [WORKERS] [LATENESS]".into());
    };
    if rules == "floor" {
        println!("{:?}", floor::count(std::fs::File::open(file)?)?);
        return Ok(());
    }
    let program = rules_in(Path::new(rules))?.program()?;
    let workers = args.get(3).map_or(Ok(1), |text| text.parse())?;
    let lateness_ms = args
        .get(4)
        .map_or(Some(300_000), |text| simwarden_detect::parse_span(text))
        .unwrap_or(0);
    let replay = Replay {
        workers,
        lateness_ms,
        source: "file".into(),
        secret: 7,
    };
    let summary = run(&program, std::fs::File::open(file)?, &replay, &mut |_| Ok(()))?;
    println!("{summary:?}");
    Ok(())
}
