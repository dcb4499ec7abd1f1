//! The threads: rounds of reading in parallel, letting in in order, and stepping each worker's own groups.
//!
//! In a round the workers take pieces of the input one after another and read them into blocks; one of them lets the
//! blocks in, in the order of the stream; then each steps the shard that it owns over all blocks; one writes the
//! alerts. Nothing but the order of the lines decides what comes out.

use simwarden_detect::{Alert, Block, Gate, Program, Shard, sort};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Barrier, Mutex, MutexGuard, RwLock};

/// How a replay is run.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Threads.
    pub workers: usize,
    /// How late an event may come, milliseconds.
    pub lateness_ms: i64,
    /// The sender of events that name none.
    pub source: String,
    /// Any number that outsiders do not know.
    pub secret: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Lines that are events.
    pub events: u64,
    /// Lines that are not.
    pub quarantined: u64,
    /// Events that came twice.
    pub duplicates: u64,
    /// Events that came later than the lateness.
    pub late: u64,
    /// How many alerts each rule gave; all rules that can give one.
    pub alerts: BTreeMap<String, u64>,
    /// The first quarantined lines: number and why.
    pub problems: Vec<(u64, String)>,
    /// Groups remembered at the end, and about how many bytes they take.
    pub state: (usize, usize),
}

/// A replay that broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The events cannot be read.
    #[error("the events cannot be read: {0}")]
    Read(std::io::Error),
    /// The alerts cannot be written.
    #[error("the alerts cannot be written: {0}")]
    Write(std::io::Error),
}

/// Bytes of one piece of the input.
const PIECE_BYTES: usize = 512 * 1024;
/// A line longer than this is not kept whole.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// What is kept of it: more than any line may have.
const TOO_LONG_BYTES: usize = 8 * 1024;
/// Pieces of a round, for each worker.
const PIECES_A_WORKER: usize = 6;
/// The most quarantined lines that are told.
const PROBLEMS_MAX: usize = 20;

/// The input, cut at line ends.
struct Source<R> {
    reader: R,
    rest: Vec<u8>,
    ended: bool,
    /// Pieces given out in this round.
    given: usize,
    failed: Option<ReplayError>,
}

impl<R: Read> Source<R> {
    /// The next whole lines into `piece`; its number in the round, or `None` when the round or the input is over.
    fn next(&mut self, piece: &mut Vec<u8>, pieces: usize) -> Option<usize> {
        if self.given == pieces || self.ended {
            return None;
        }
        piece.clear();
        piece.append(&mut self.rest);
        loop {
            let wanted = PIECE_BYTES as u64;
            match self.reader.by_ref().take(wanted).read_to_end(piece) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(_) => {}
                Err(error) => {
                    self.failed = Some(ReplayError::Read(error));
                    self.ended = true;
                    return None;
                }
            }
            if let Some(end) = piece.iter().rposition(|byte| *byte == b'\n') {
                self.rest.extend_from_slice(&piece[end + 1..]);
                piece.truncate(end + 1);
                break;
            }
            if piece.len() > LINE_BYTES_MAX {
                // What is kept is long enough to be refused as too long; the lines behind it are read.
                piece.truncate(TOO_LONG_BYTES);
                if let Err(error) = self.skip_line() {
                    self.failed = Some(ReplayError::Read(error));
                    self.ended = true;
                    return None;
                }
                piece.push(b'\n');
                break;
            }
        }
        self.given += 1;
        Some(self.given - 1)
    }

    /// Reads to the end of the line; what is behind it is the rest.
    fn skip_line(&mut self) -> std::io::Result<()> {
        let mut read = Vec::new();
        loop {
            read.clear();
            if self
                .reader
                .by_ref()
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut read)?
                == 0
            {
                self.ended = true;
                return Ok(());
            }
            if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                self.rest = read.split_off(end + 1);
                return Ok(());
            }
        }
    }
}

/// What the workers share.
struct Table<'a, R> {
    source: Mutex<Source<R>>,
    blocks: RwLock<Vec<Block>>,
    alerts: Mutex<Vec<Alert>>,
    desk: Mutex<Desk<'a>>,
    barrier: Barrier,
}

/// What one worker at a time does for all.
struct Desk<'a> {
    gate: Gate,
    summary: Summary,
    lines: u64,
    final_before: i64,
    over: bool,
    failed: Option<ReplayError>,
    write: &'a mut (dyn FnMut(&[Alert]) -> std::io::Result<()> + Send),
}

/// Runs events through the rules; `write` gets the alerts in their order.
///
/// # Errors
/// [`ReplayError`] when the input or the output fails; alerts given before stand.
pub fn run(
    program: &Program,
    input: impl Read + Send,
    replay: &Replay,
    write: &mut (dyn FnMut(&[Alert]) -> std::io::Result<()> + Send),
) -> Result<Summary, ReplayError> {
    let workers = replay.workers.clamp(1, 256);
    let silent = program
        .rules()
        .iter()
        .filter(|rule| rule.alerts)
        .map(|rule| (rule.id.clone(), 0));
    let table = Table {
        source: Mutex::new(Source {
            reader: input,
            rest: Vec::new(),
            ended: false,
            given: 0,
            failed: None,
        }),
        blocks: RwLock::new(
            std::iter::repeat_with(Block::default)
                .take(workers * PIECES_A_WORKER)
                .collect(),
        ),
        alerts: Mutex::new(Vec::new()),
        desk: Mutex::new(Desk {
            gate: Gate::new(replay.lateness_ms),
            summary: Summary {
                alerts: silent.collect(),
                ..Summary::default()
            },
            lines: 0,
            final_before: i64::MIN,
            over: false,
            failed: None,
            write,
        }),
        barrier: Barrier::new(workers),
    };
    std::thread::scope(|scope| {
        for place in 1..workers {
            let table = &table;
            scope.spawn(move || work(table, program, replay, place, workers));
        }
        work(&table, program, replay, 0, workers);
    });
    let desk = table
        .desk
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    match desk.failed {
        Some(error) => Err(error),
        None => Ok(desk.summary),
    }
}

/// A poisoned lock means that another worker panicked; the scope passes that on, so going on harms nobody.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn work<R: Read>(table: &Table<'_, R>, program: &Program, replay: &Replay, place: usize, workers: usize) {
    let mut shard = Shard::new(program, place, replay.lateness_ms, replay.secret);
    let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
    loop {
        read_round(table, program, replay, workers, &mut piece);
        if table.barrier.wait().is_leader() {
            let mut blocks = table
                .blocks
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let desk = &mut *locked(&table.desk);
            desk.admit(&mut blocks, &mut locked(&table.source));
        }
        table.barrier.wait();
        let (final_before, newest, over) = {
            let desk = locked(&table.desk);
            (desk.final_before, desk.gate.newest(), desk.over)
        };
        let mut alerts = {
            let blocks = table
                .blocks
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            blocks.iter().for_each(|block| shard.take(block));
            shard.release(program, final_before)
        };
        if over {
            alerts.extend(shard.finish(program, newest));
            let (groups, bytes) = shard.size();
            let state = &mut locked(&table.desk).summary.state;
            *state = (state.0 + groups, state.1 + bytes);
        }
        locked(&table.alerts).append(&mut alerts);
        if table.barrier.wait().is_leader() {
            locked(&table.desk).tell(std::mem::take(&mut *locked(&table.alerts)));
        }
        table.barrier.wait();
        if over || locked(&table.desk).failed.is_some() {
            return;
        }
    }
}

fn read_round<R: Read>(
    table: &Table<'_, R>,
    program: &Program,
    replay: &Replay,
    workers: usize,
    piece: &mut Vec<u8>,
) {
    loop {
        let Some(number) = locked(&table.source).next(piece, workers * PIECES_A_WORKER) else {
            return;
        };
        let block = program.read(piece, workers, &replay.source);
        let mut blocks = table
            .blocks
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        blocks[number] = block;
    }
}

impl Desk<'_> {
    fn admit<R>(&mut self, blocks: &mut [Block], source: &mut Source<R>) {
        for block in &mut blocks[source.given..] {
            *block = Block::default();
        }
        for block in &mut *blocks {
            self.gate.admit(block);
            self.summary.events += block.events;
            self.summary.quarantined += block.quarantined;
            let room = PROBLEMS_MAX.saturating_sub(self.summary.problems.len());
            let told = block.problems.iter().take(room);
            self.summary
                .problems
                .extend(told.map(|problem| (self.lines + problem.line, problem.text.to_string())));
            self.lines += block.lines;
        }
        self.summary.duplicates = self.gate.duplicates;
        self.summary.late = self.gate.late;
        self.final_before = self.gate.final_before();
        self.over = source.ended;
        self.failed = self.failed.take().or(source.failed.take());
        source.given = 0;
    }

    fn tell(&mut self, mut alerts: Vec<Alert>) {
        sort(&mut alerts);
        for alert in &alerts {
            *self.summary.alerts.entry(alert.rule.clone()).or_default() += 1;
        }
        if let Err(error) = (self.write)(&alerts) {
            self.failed = self.failed.take().or(Some(ReplayError::Write(error)));
        }
    }
}
