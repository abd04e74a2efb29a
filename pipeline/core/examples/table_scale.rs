//! Measures the tables of a large store: a rebuild of everything in one pass, and the refresh after a batch.
//!
//! cargo run --release -p callmark-core --example table_scale [CALLS]
//! Nothing is read or written: the store keeps one RepSums per period, rep and team, whose JSON is counted here.

use std::collections::BTreeMap;

use callmark_core::performance::additive::Additive;
use callmark_core::performance::sums::{PeriodSums, Rollup, Sums};
use callmark_core::performance::{
    CallSummary, Loss, PeriodKind, dimension_rows, hour_rows, rep_rows, requirement_rows, team_rows,
};
use callmark_core::record::{Outcome, Status};
use callmark_core::statistics::SplitMix64;

const REPS: usize = 200;
const REQUIREMENTS: usize = 25;
const DIMENSIONS: [&str; 6] = ["compliance", "script_flow", "discovery", "handling", "customer_emotion", "close"];

/// A call of a working day, numbered from 0: 250 days a year.
fn call(id: usize, day: usize, random: &mut SplitMix64) -> CallSummary {
    let rep = random.below(REPS);
    let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days((day / 5 * 7 + day % 5) as i64);
    let score = ((74_000.0 + 12_000.0 * random.normal()) as i64).clamp(0, 100_000);
    let mut results: BTreeMap<Outcome, Vec<String>> = BTreeMap::new();
    let mut losses = Vec::new();
    for requirement in 0..REQUIREMENTS {
        let id = format!("requirement_{requirement:02}");
        if random.below(5) == 0 {
            losses.push(Loss { requirement_id: id.clone(), millipoints: 3_000 });
            results.entry(Outcome::Missed).or_default().push(id);
        } else {
            results.entry(Outcome::Met).or_default().push(id);
        }
    }
    CallSummary {
        call_id: format!("call{id}"),
        rep_id: Some(format!("rep{rep:03}")),
        team: Some(format!("team{:02}", rep / 10)),
        campaign: Some(["cold", "warm", "renewal"][random.below(3)].to_string()),
        call_type: Some(["sales", "service"][random.below(2)].to_string()),
        start_ts: Some(format!("{date}T{:02}:15:00", 9 + random.below(9))),
        tz: None,
        status: Status::Scored,
        score: Some(score),
        dimensions: DIMENSIONS.iter().map(|name| (name.to_string(), random.below(1001) as u16)).collect(),
        flags: 0,
        fatals: 0,
        losses,
        results,
        metrics: BTreeMap::from([("rep_talk_share_permille".to_string(), random.below(1000) as i64)]),
        judged: BTreeMap::new(),
        scorecard: "telesales".to_string(),
        scorecard_version: 1,
        scorecard_hash: "ab".to_string(),
        model_hash: "cd".to_string(),
    }
}

fn rows(kind: PeriodKind, period: &str, now: &PeriodSums, earlier: &[(&str, &PeriodSums)]) -> usize {
    rep_rows(kind, period, now, earlier).len()
        + dimension_rows(kind, period, now, earlier).len()
        + team_rows(kind, period, now, earlier, 85_000).len()
        + requirement_rows(kind, period, now).len()
        + hour_rows(kind, period, now).len()
}

#[allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types)]
fn main() {
    let calls: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let per_day = calls / 250;
    let mut random = SplitMix64::new(3);
    let (mut making, mut tables, mut n_rows, mut bytes) = (0.0, 0.0, 0, 0);
    let begin = std::time::Instant::now();
    // What a store would hold of the last period of each kind, and the one before for trends.
    let mut last: BTreeMap<PeriodKind, (String, PeriodSums)> = BTreeMap::new();
    let mut rollup = Rollup::new(PeriodKind::ALL, |kind, period, sums: &PeriodSums| {
        let begin = std::time::Instant::now();
        let earlier: Vec<(&str, &PeriodSums)> = last.get(&kind).iter().map(|(p, s)| (p.as_str(), s)).collect();
        n_rows += rows(kind, period, sums, &earlier);
        tables += begin.elapsed().as_secs_f64();
        bytes += sums.0.values().map(|rep| serde_json::to_string(rep).map_or(0, |text| text.len())).sum::<usize>();
        last.insert(kind, (period.to_string(), sums.clone()));
    });
    for id in 0..calls {
        let begin = std::time::Instant::now();
        let call = call(id, id / per_day.max(1), &mut random);
        making += begin.elapsed().as_secs_f64();
        rollup.push(&call);
    }
    rollup.finish();
    let rebuild = begin.elapsed().as_secs_f64() - making;
    println!(
        "rebuild of {calls} calls: {rebuild:.1} s ({tables:.1} s of it {n_rows} rows of tables), sums as JSON {:.0} MB",
        bytes as f64 / 1e6
    );

    let batch: Vec<CallSummary> = (0..1_000).map(|id| call(calls + id, 249, &mut random)).collect();
    let stored: BTreeMap<PeriodKind, (String, String)> = last
        .iter()
        .map(|(kind, (period, sums))| {
            let reps: Vec<_> = sums.0.iter().collect();
            (*kind, (period.clone(), serde_json::to_string(&reps).unwrap_or_default()))
        })
        .collect();
    let begin = std::time::Instant::now();
    let changed = Sums::of(&batch);
    let (mut n_rows, mut written) = (0, 0);
    for ((kind, period), part) in &changed.0 {
        let Some((_, text)) = stored.get(kind).filter(|(stored, _)| stored == period) else { continue };
        let reps: Vec<_> = serde_json::from_str(text).unwrap_or_default();
        let mut sums = PeriodSums(reps.into_iter().collect());
        sums.include(part);
        let earlier: Vec<(&str, &PeriodSums)> = last.get(kind).iter().map(|(p, s)| (p.as_str(), s)).collect();
        n_rows += rows(*kind, period, &sums, &earlier);
        let reps: Vec<_> = sums.0.iter().collect();
        written += serde_json::to_string(&reps).map_or(0, |text| text.len());
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "refresh after 1,000 calls: {seconds:.2} s for {n_rows} rows in five periods, {:.0} MB",
        written as f64 / 1e6
    );
}
