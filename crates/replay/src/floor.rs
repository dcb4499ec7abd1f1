//! The floor: the four rules of the benchmark in plain Rust, nothing else, in the order of the file.
//!
//! No checks, no quarantine, no repetitions, no late events, no rule files. What the engine costs above this is what
//! those cost.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, Read};

/// Alerts of the rules A, B, C and D.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read.
    pub events: u64,
    /// A to D.
    pub rules: [u64; 4],
}

const MIN15: i64 = 900_000;
const MIN30: i64 = 1_800_000;
const HOUR: i64 = 3_600_000;

#[derive(Default)]
struct State {
    swaps: HashMap<u64, i64, Mixed>,
    failures: HashMap<u64, VecDeque<i64>, Mixed>,
    armed: HashMap<u64, i64, Mixed>,
    sightings: HashMap<u64, (i64, f64, f64), Mixed>,
    agents: HashMap<u64, (VecDeque<i64>, bool), Mixed>,
    counts: Counts,
}

/// One multiplication.
#[derive(Default, Clone, Copy)]
struct Mixed;
struct Mixer(u64);

impl std::hash::BuildHasher for Mixed {
    type Hasher = Mixer;
    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}

impl std::hash::Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(value ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a product is folded to its two halves"
        )]
        {
            self.0 = (product as u64) ^ (product >> 64) as u64;
        }
    }
}

/// Counts the alerts of a stream that is in order.
///
/// # Errors
/// The input's.
pub fn count(input: impl Read) -> std::io::Result<Counts> {
    let mut reader = std::io::BufReader::with_capacity(1 << 20, input);
    let mut state = State::default();
    let mut line = Vec::with_capacity(1_024);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(state.counts);
        }
        state.line(&line);
    }
}

/// The fields that the four rules read, cut out by their names; `None` when a line is no event of the benchmark.
struct Fields<'a> {
    ts: i64,
    kind: &'a [u8],
    line: u64,
    agent: &'a [u8],
    sender: &'a [u8],
    lat: &'a [u8],
    lon: &'a [u8],
}

impl<'a> Fields<'a> {
    fn cut(line: &'a [u8]) -> Option<Self> {
        let mut fields = Fields {
            ts: 0,
            kind: b"",
            line: 0,
            agent: b"",
            sender: b"",
            lat: b"",
            lon: b"",
        };
        let mut at = 1;
        while *line.get(at)? == b'"' {
            let name_end = at + 1 + line[at + 1..].iter().position(|b| *b == b'"')?;
            let name = &line[at + 1..name_end];
            let from = name_end + 2;
            let (value, end) = if *line.get(from)? == b'"' {
                let end = from + 1 + line[from + 1..].iter().position(|b| *b == b'"')?;
                (&line[from + 1..end], end + 1)
            } else {
                let end = from + line[from..].iter().position(|b| matches!(b, b',' | b'}'))?;
                (&line[from..end], end)
            };
            match name {
                b"ts" => fields.ts = i64::try_from(number(value)).ok()?,
                b"type" => fields.kind = value,
                b"msisdn" => fields.line = number(value),
                b"agent_id" => fields.agent = value,
                b"sender" => fields.sender = value,
                b"lat" => fields.lat = value,
                b"lon" => fields.lon = value,
                _ => {}
            }
            at = end + 1;
        }
        Some(fields)
    }
}

fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')))
}

fn degrees(text: &[u8]) -> f64 {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}

impl State {
    fn line(&mut self, line: &[u8]) -> Option<()> {
        let fields = Fields::cut(line)?;
        let (ts, key) = (fields.ts, fields.line);
        self.counts.events += 1;
        match fields.kind {
            b"attach" => {
                let here = (ts, degrees(fields.lat), degrees(fields.lon));
                if let Some(before) = self.sightings.insert(key, here) {
                    let km = distance_km(before, here);
                    #[expect(clippy::cast_precision_loss, reason = "spans are small")]
                    let gap = (ts - before.0).max(1_000) as f64;
                    self.counts.rules[3] += u64::from(km > 50.0 && km * 3_600_000.0 > 900.0 * gap);
                }
            }
            b"sim_swap" => self.swap(ts, key, fields.agent),
            b"otp_sms"
                if fields.sender.starts_with(b"bank:")
                    && self.swaps.get(&key).is_some_and(|swap| ts - swap <= MIN15) =>
            {
                self.swaps.remove(&key);
                self.counts.rules[0] += 1;
            }
            b"login_failed" => {
                let failures = self.failures.entry(key).or_default();
                if failures.len() == 5 {
                    failures.pop_front();
                }
                failures.push_back(ts);
            }
            b"login_ok" => {
                let failures = self.failures.remove(&key)?;
                if failures.len() == 5 && ts - failures[0] <= MIN30 {
                    self.armed.insert(key, failures[0]);
                }
            }
            b"profile_download" => {
                let armed = self.armed.remove(&key)?;
                self.counts.rules[1] += u64::from(ts - armed <= MIN30);
            }
            _ => {}
        }
        Some(())
    }

    fn swap(&mut self, ts: i64, key: u64, agent: &[u8]) {
        self.swaps.insert(key, ts);
        if agent.is_empty() {
            return;
        }
        let agent = agent.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (swaps, on) = self.agents.entry(agent).or_default();
        while swaps.front().is_some_and(|first| *first <= ts - HOUR) {
            swaps.pop_front();
        }
        swaps.push_back(ts);
        let over = swaps.len() > 20;
        self.counts.rules[2] += u64::from(over && !*on);
        *on = over;
    }
}

fn distance_km(from: (i64, f64, f64), to: (i64, f64, f64)) -> f64 {
    let (lat1, lon1, lat2, lon2) = (
        from.1.to_radians(),
        from.2.to_radians(),
        to.1.to_radians(),
        to.2.to_radians(),
    );
    let (s1, s2) = (((lat2 - lat1) / 2.0).sin(), ((lon2 - lon1) / 2.0).sin());
    2.0 * 6371.0088 * (s1 * s1 + lat1.cos() * lat2.cos() * s2 * s2).sqrt().asin()
}
