//! The floor: what the disk of this machine gives at best when the same bytes are made durable in groups.
//!
//! As many writers as the load has connections each hand over one record and wait until it is on disk; one thread
//! takes whatever waits, appends it in one write, calls `fdatasync`, and answers everybody. No database, no ledger, no
//! HTTP: whatever makes every answer durable cannot be faster than this.

use crate::DrillError;
use crate::load::share_ms;
use simwarden_model::Clock;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What to measure.
#[derive(Debug, Clone)]
pub struct FloorConfig {
    /// A folder on the disk that the server writes to.
    pub folder: PathBuf,
    /// Writers, each with one record at a time.
    pub writers: usize,
    /// Bytes of one record.
    pub record_bytes: usize,
    /// For how long.
    pub duration: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct FloorReport {
    /// Records made durable a second.
    pub per_second: f64,
    /// Calls of `fdatasync` a second.
    pub syncs_per_second: f64,
    /// 99 of 100 records were durable within this.
    pub p99_ms: f64,
}

type Record = (Vec<u8>, oneshot::Sender<()>);

/// Measures the floor.
///
/// # Errors
/// When the file cannot be written.
pub async fn run(config: &FloorConfig, clock: &Arc<dyn Clock>) -> Result<FloorReport, DrillError> {
    let failed = |why: std::io::Error| DrillError::Setup(format!("the floor cannot be measured: {why}"));
    let path = config.folder.join("floor.tmp");
    let file = File::create(&path).map_err(failed)?;
    let (sender, receiver) = mpsc::channel(config.writers.max(1));
    let committer = tokio::task::spawn_blocking(move || commit(file, receiver));
    let begin = clock.monotonic();
    let end = begin + config.duration;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..config.writers.max(1) {
        writers.spawn(write(sender.clone(), config.record_bytes, end, Arc::clone(clock)));
    }
    drop(sender);
    let mut micros = Vec::new();
    while let Some(own) = writers.join_next().await {
        micros.extend(own.map_err(|why| DrillError::Setup(why.to_string()))?);
    }
    let seconds = (clock.monotonic() - begin).as_secs_f64();
    let syncs = committer
        .await
        .map_err(|why| DrillError::Setup(why.to_string()))?
        .map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)?;
    micros.sort_unstable();
    Ok(FloorReport {
        per_second: micros.len() as f64 / seconds,
        syncs_per_second: f64::from(syncs) / seconds,
        p99_ms: share_ms(&micros, 99),
    })
}

/// Takes what waits, writes it, syncs, answers; until every writer has gone.
fn commit(mut file: File, mut receiver: mpsc::Receiver<Record>) -> std::io::Result<u32> {
    let mut syncs = 0;
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    while let Some((bytes, answer)) = receiver.blocking_recv() {
        batch.clear();
        batch.extend_from_slice(&bytes);
        waiting.push(answer);
        while let Ok((bytes, answer)) = receiver.try_recv() {
            batch.extend_from_slice(&bytes);
            waiting.push(answer);
        }
        file.write_all(&batch)?;
        file.sync_data()?;
        syncs += 1;
        for answer in waiting.drain(..) {
            // A writer that has gone needs no answer.
            let _ = answer.send(());
        }
    }
    Ok(syncs)
}

async fn write(sender: mpsc::Sender<Record>, bytes: usize, end: Duration, clock: Arc<dyn Clock>) -> Vec<u32> {
    let mut micros = Vec::new();
    loop {
        let began = clock.monotonic();
        let (answer, durable) = oneshot::channel();
        if began >= end || sender.send((vec![0x5a; bytes], answer)).await.is_err() || durable.await.is_err() {
            return micros;
        }
        micros.push(u32::try_from((clock.monotonic() - began).as_micros()).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::{FloorConfig, commit, run};
    use simwarden_app::SystemClock;
    use simwarden_model::Clock;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::{mpsc, oneshot};

    #[tokio::test]
    async fn measures_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let config = FloorConfig {
            folder: folder.path().to_owned(),
            writers: 8,
            record_bytes: 512,
            duration: Duration::from_millis(50),
        };
        let report = run(&config, &clock).await.unwrap();
        assert!(report.per_second > 0.0 && report.syncs_per_second > 0.0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn everything_that_waits_shares_one_sync() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let (sender, receiver) = mpsc::channel(8);
        let mut answers = Vec::new();
        for _ in 0..5 {
            let (answer, durable) = oneshot::channel();
            sender.try_send((vec![1; 10], answer)).unwrap();
            answers.push(durable);
        }
        drop(sender);
        let syncs = commit(std::fs::File::create(&path).unwrap(), receiver).unwrap();
        assert_eq!(syncs, 1);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 50);
        for mut durable in answers {
            durable.try_recv().unwrap();
        }
    }
}
