//! A quarter of calls made up with known truth: skills, campaigns, coaching, a threshold gamer and a bad hour. Deterministic by seed.
//!
//! A score is normal around skill + campaign + call type + what was planted, cut to 0…100 points.

use std::collections::BTreeMap;

use callmark_core::performance::{CallSummary, Loss};
use callmark_core::record::{Outcome, Status, Verdict};
use callmark_core::statistics::SplitMix64;

/// What is generated. Points are millipoints.
#[derive(Clone)]
pub struct Quarter {
    pub reps: usize,
    pub calls_per_rep: usize,
    pub teams: usize,
    pub mean: f64,
    pub between_sd: f64,
    pub within_sd: f64,
    /// Rep → points that coaching adds from the middle of the quarter on.
    pub coached: BTreeMap<usize, f64>,
    /// Reps whose calls just below the pass line end just above it.
    pub gamers: Vec<usize>,
    /// (weekday, hour, points) of an hour that is bad for everybody.
    pub dip: Option<(u8, u8, f64)>,
    pub seed: u64,
}

/// The calls of a quarter and what is true of them.
pub struct Generated {
    pub calls: Vec<CallSummary>,
    /// Rep → true mean, if he or she had the quarter's mix of campaigns and hours, without coaching and gaming.
    pub skill: Vec<f64>,
}

/// Campaign, call type and what they add.
const STRATA: [(&str, &str, f64); 4] = [
    ("cold", "sales", -6_000.0),
    ("cold", "renewal", -1_000.0),
    ("warm", "sales", 1_000.0),
    ("warm", "renewal", 6_000.0),
];
pub const PASS: i64 = 85_000;

impl Default for Quarter {
    fn default() -> Quarter {
        Quarter {
            reps: 50,
            calls_per_rep: 200,
            teams: 5,
            mean: 74_000.0,
            between_sd: 3_000.0,
            within_sd: 12_000.0,
            coached: BTreeMap::new(),
            gamers: Vec::new(),
            dip: None,
            seed: 1,
        }
    }
}

pub fn rep_name(rep: usize) -> String {
    format!("rep{rep:02}")
}

impl Quarter {
    /// Twelve weeks from Monday, 6 January 2025, nine to eighteen o'clock, Monday to Friday; calls in the order of their dates.
    pub fn generate(&self) -> Generated {
        let mut random = SplitMix64::new(self.seed);
        let mut calls = Vec::with_capacity(self.reps * self.calls_per_rep);
        let (mut skill, mut circumstances) = (Vec::new(), 0.0);
        for rep in 0..self.reps {
            let own = self.mean + self.between_sd * random.normal();
            skill.push(own);
            // Everybody has another mix of campaigns.
            let cold = 0.2 + 0.6 * random.unit();
            for i in 0..self.calls_per_rep {
                let day = i * 60 / self.calls_per_rep;
                let (week, weekday) = (day / 5, day % 5);
                let hour = 9 + random.below(9);
                let stratum = STRATA[2 * usize::from(random.unit() >= cold) + random.below(2)];
                let mut circumstance = stratum.2;
                if let Some((bad_day, bad_hour, points)) = self.dip {
                    circumstance += if (weekday + 1, hour) == (bad_day.into(), bad_hour.into()) { points } else { 0.0 };
                }
                circumstances += circumstance;
                let mut score = own + circumstance + self.within_sd * random.normal();
                if 2 * i >= self.calls_per_rep {
                    score += self.coached.get(&rep).copied().unwrap_or(0.0);
                }
                let mut score = (score.round() as i64).clamp(0, 100_000);
                // Three of four calls up to four points short are talked over the line.
                if self.gamers.contains(&rep) && (PASS - 4_000..PASS).contains(&score) && random.below(4) > 0 {
                    score = PASS + random.below(1_500) as i64;
                }
                let date = jiff::civil::date(2025, 1, 6) + jiff::Span::new().days((7 * week + weekday) as i64);
                let start = format!("{date}T{hour:02}:{:02}:00", random.below(60));
                calls.push(self.call(calls.len(), rep, start, score, stratum, &mut random));
            }
        }
        calls.sort_by(|a, b| (&a.start_ts, &a.call_id).cmp(&(&b.start_ts, &b.call_id)));
        let level = circumstances / calls.len() as f64;
        Generated { calls, skill: skill.into_iter().map(|own| own + level).collect() }
    }

    fn call(
        &self,
        id: usize,
        rep: usize,
        start: String,
        score: i64,
        stratum: (&str, &str, f64),
        random: &mut SplitMix64,
    ) -> CallSummary {
        // Rep 0 forgets the next step twice as often as the others.
        let missed = random.unit() < if rep == 0 { 0.6 } else { 0.3 };
        let (met, not_met) = (vec!["greeting".to_string()], vec!["next_step".to_string()]);
        let results = if missed {
            BTreeMap::from([(Outcome::Met, met), (Outcome::Missed, not_met)])
        } else {
            BTreeMap::from([(Outcome::Met, [met, not_met].concat())])
        };
        let loss = Loss { requirement_id: "next_step".to_string(), millipoints: 5_000 };
        CallSummary {
            call_id: format!("call{id:06}"),
            rep_id: Some(rep_name(rep)),
            team: Some(format!("team{}", rep % self.teams)),
            campaign: Some(stratum.0.to_string()),
            call_type: Some(stratum.1.to_string()),
            start_ts: Some(start),
            tz: None,
            status: Status::Scored,
            score: Some(score),
            verdict: Some(if score < PASS { Verdict::Coach } else { Verdict::Pass }),
            dimensions: BTreeMap::from([("discovery".to_string(), (score / 100).clamp(0, 1000) as u16)]),
            flags: 0,
            fatals: 0,
            losses: if missed { vec![loss] } else { Vec::new() },
            results,
            metrics: BTreeMap::new(),
            judged: BTreeMap::new(),
            scorecard: "telesales".to_string(),
            scorecard_version: 1,
            scorecard_hash: "ab".to_string(),
            model_hash: "cd".to_string(),
        }
    }
}
