//! Measures the performance tables of a large store: a rebuild from all summaries, and the refresh after a batch.
//!
//! cargo run --release -p callmark-store --example performance_scale STORE [CALLS]
//! STORE is a new file, which is left there; summaries are put straight into it (the tables read nothing else): 500 reps of 25 teams
//! on 250 working days, 40 requirements and metrics. Measured after that: a rebuild, 1,000 new calls on the last day, and 1,000 calls
//! of that day that are scored again, three times each.

use std::collections::BTreeMap;
use std::time::Instant;

use callmark_core::performance::{CallSummary, Loss, SUMMARY_SCHEMA};
use callmark_core::record::{Outcome, Status, Verdict};
use callmark_core::statistics::SplitMix64;
use rusqlite::{Connection, params};

const REPS: usize = 500;
const TEAMS: usize = 25;
const DAYS: usize = 250;
const BATCH: usize = 1_000;
const REQUIREMENTS: usize = 30;
const DIMENSIONS: [&str; 6] = ["compliance", "script_flow", "discovery", "handling", "customer_emotion", "close"];
/// With the largest value.
const METRICS: [(&str, usize); 10] = [
    ("rep_talk_share_permille", 1_000),
    ("longest_monologue_rep_ms", 180_000),
    ("interruptions_rep_per_10min_milli", 6_000),
    ("unexcused_silence_permille", 400),
    ("response_latency_ms", 4_000),
    ("pace_rep", 280),
    ("questions_rep", 20),
    ("sentiment_last_quarter_milli", 5_000),
    ("sentiment_shift_milli", 5_000),
    ("objections_answered_permille", 1_000),
];

/// A call of a working day, numbered from 0.
fn call(id: usize, day: usize, random: &mut SplitMix64) -> CallSummary {
    let rep = random.below(REPS);
    let date = jiff::civil::date(2025, 1, 6) + jiff::Span::new().days((day / 5 * 7 + day % 5) as i64);
    let skill = 70_000.0 + (rep * 7_919 % 100) as f64 * 100.0;
    let mut results: BTreeMap<Outcome, Vec<String>> = BTreeMap::new();
    let mut losses = Vec::new();
    let requirements = (0..REQUIREMENTS).map(|n| format!("requirement_{n:02}"));
    for id in requirements.chain(METRICS.iter().map(|(metric, _)| metric.to_string())) {
        let outcome = match random.below(20) {
            0..3 => Outcome::Missed,
            3 => Outcome::Unknown,
            _ => Outcome::Met,
        };
        if outcome == Outcome::Missed {
            losses.push(Loss { requirement_id: id.clone(), millipoints: 1_500 + random.below(3_000) as i64 });
        }
        results.entry(outcome).or_default().push(id);
    }
    let score = ((skill + 12_000.0 * random.normal()) as i64).clamp(0, 100_000);
    CallSummary {
        call_id: format!("call{id:07}"),
        rep_id: Some(format!("rep{rep:03}")),
        team: Some(format!("team{:02}", rep % TEAMS)),
        campaign: Some(["cold", "warm", "renewal"][random.below(3)].to_string()),
        call_type: Some(["sales", "service"][random.below(2)].to_string()),
        start_ts: Some(format!("{date}T{:02}:{:02}:00+08:00", 9 + random.below(9), random.below(60))),
        tz: None,
        status: Status::Scored,
        score: Some(score),
        verdict: Some(if score < 85_000 { Verdict::Coach } else { Verdict::Pass }),
        dimensions: DIMENSIONS.iter().map(|name| (name.to_string(), random.below(1001) as u16)).collect(),
        flags: u32::from(random.below(10) == 0),
        fatals: 0,
        losses,
        results,
        metrics: METRICS.iter().map(|(name, most)| (name.to_string(), random.below(*most) as i64)).collect(),
        judged: BTreeMap::new(),
        scorecard: "telesales".to_string(),
        scorecard_version: 1,
        scorecard_hash: "5c".repeat(32),
        model_hash: "cd".repeat(32),
    }
}

/// Puts calls under these numbers, in the place of any that are there: bytes of their summaries.
fn put(sql: &mut Connection, calls: impl Iterator<Item = (usize, CallSummary)>) -> rusqlite::Result<usize> {
    let transaction = sql.transaction()?;
    let mut call = transaction.prepare_cached(
        "INSERT INTO calls (call_id, call_no, evaluation_key, rep_id, team, medium, start_ts, start_date, duration_ms, status, \
         fatal_count, scorecard, scorecard_version, scorecard_hash) VALUES (?1, ?2, 'k', ?3, ?4, 'speech', ?5, substr(?5, 1, 10), \
         300000, 'scored', 0, 'telesales', 1, ?6) ON CONFLICT DO NOTHING",
    )?;
    let mut summary = transaction.prepare_cached(
        "INSERT INTO summaries VALUES (?1, ?2, ?3) ON CONFLICT (call_no) DO UPDATE SET summary = excluded.summary",
    )?;
    let mut bytes = 0;
    for (number, made) in calls {
        let json = serde_json::to_string(&made).unwrap_or_default();
        bytes += json.len();
        let number = number as i64;
        call.execute(params![made.call_id, number, made.rep_id, made.team, made.start_ts, made.scorecard_hash])?;
        summary.execute(params![number, SUMMARY_SCHEMA, json])?;
    }
    drop((call, summary));
    transaction.commit()?;
    Ok(bytes)
}

/// Most memory of this process so far, MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Processor time of all threads of this process so far, in seconds; the kernel counts hundredths.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give a new file for the store")?;
    let calls: usize = std::env::args().nth(2).map_or(Ok(1_000_000), |n| n.parse())?;
    let store = callmark_store::open(&path)?;
    if store.statistics()?.calls > 0 {
        return Err("the store holds calls already: give a new file".into());
    }
    let mut sql = Connection::open(&path)?;
    let mut random = SplitMix64::new(3);
    let mut bytes = 0;
    for first in (0..calls).step_by(20_000) {
        let last = calls.min(first + 20_000);
        bytes += put(&mut sql, (first..last).map(|id| (id + 1, call(id, id * DAYS / calls, &mut random))))?;
    }
    let filled_mb = store.statistics()?.size_bytes / 1_000_000;
    println!("{calls} calls, summaries of {} bytes, store of {filled_mb} MB", bytes / calls.max(1));
    let refresh = |what: &str| -> Result<(), callmark_store::StoreError> {
        let (begin, before) = (Instant::now(), processor_seconds());
        let done = store.refresh_performance()?;
        let (elapsed, busy) = (begin.elapsed().as_secs_f64(), processor_seconds() - before);
        println!("{done:?} {what}: {elapsed:.2} s ({busy:.2} s of processors), at most {} MB of memory", peak_mb());
        Ok(())
    };
    refresh("from all calls")?;
    for round in 0..3 {
        let first = calls + round * BATCH;
        put(&mut sql, (first..first + BATCH).map(|id| (id + 1, call(id, DAYS - 1, &mut random))))?;
        refresh("after 1,000 new calls")?;
    }
    for _ in 0..3 {
        let first = calls.saturating_sub(BATCH);
        put(&mut sql, (first..calls).map(|id| (id + 1, call(id, DAYS - 1, &mut random))))?;
        refresh("after 1,000 calls were scored again")?;
    }
    println!("store of {} MB with its log", store.statistics()?.size_bytes / 1_000_000);
    Ok(())
}
