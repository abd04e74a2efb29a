//! `[indicators]` of the configuration: benchmarks and weights of the telesales indicators.

use std::collections::BTreeMap;

use callmark_core::performance::{Benchmark, IndicatorKind, IndicatorSettings, WeightProfile};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::config::did_you_mean;

/// As the file has it, in the indicators' own units. Keys are missing only while a layer is checked alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct IndicatorConfig {
    #[serde(deserialize_with = "profile")]
    profile: WeightProfile,
    #[serde(deserialize_with = "profiles")]
    teams: BTreeMap<String, WeightProfile>,
    #[serde(deserialize_with = "days")]
    days_per_week: u32,
    #[serde(deserialize_with = "milli")]
    lead_cost: i64,
    #[serde(deserialize_with = "milli")]
    deal_margin: i64,
    #[serde(flatten)]
    benchmarks: BTreeMap<Kind, BenchmarkConfig>,
}

impl Default for IndicatorConfig {
    fn default() -> Self {
        IndicatorConfig {
            profile: WeightProfile::Mature,
            teams: BTreeMap::new(),
            days_per_week: 5,
            lead_cost: 0,
            deal_margin: 0,
            benchmarks: BTreeMap::new(),
        }
    }
}

/// `[indicators.calls_per_day]` and the like.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BenchmarkConfig {
    #[serde(deserialize_with = "milli")]
    zero: i64,
    #[serde(deserialize_with = "milli")]
    full: i64,
    #[serde(deserialize_with = "some_milli")]
    full_new_hire: Option<i64>,
    weight: u32,
}

/// An indicator, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Kind(IndicatorKind);

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Kind, String> {
        const OTHERS: [&str; 5] = ["profile", "teams", "days_per_week", "lead_cost", "deal_margin"];
        IndicatorKind::ALL.iter().copied().find(|kind| kind.id() == name).map(Kind).ok_or_else(|| {
            let ids = IndicatorKind::ALL.iter().map(|kind| kind.id());
            let suggestion = did_you_mean(&name, ids.clone().chain(OTHERS));
            let known: Vec<&str> = ids.collect();
            format!("`{name}` is no indicator{suggestion}\nhint: the indicators are {}", known.join(", "))
        })
    }
}

impl IndicatorConfig {
    /// For the tables.
    pub fn settings(&self) -> IndicatorSettings {
        let benchmark = |config: &BenchmarkConfig| Benchmark {
            zero_milli: config.zero,
            full_milli: config.full,
            full_new_hire_milli: config.full_new_hire,
            weight: config.weight,
        };
        IndicatorSettings {
            profile: self.profile,
            team_profiles: self.teams.clone(),
            days_per_week: self.days_per_week,
            lead_cost_milli: self.lead_cost,
            deal_margin_milli: self.deal_margin,
            benchmarks: self.benchmarks.iter().map(|(Kind(kind), config)| (*kind, benchmark(config))).collect(),
        }
    }
}

fn parse_profile<E: serde::de::Error>(text: &str) -> Result<WeightProfile, E> {
    const KNOWN: [&str; 3] = ["sprint", "mature", "new_hire"];
    WeightProfile::parse(text).ok_or_else(|| {
        let suggestion = did_you_mean(text, KNOWN.into_iter());
        E::custom(format!("`{text}` is no weight profile{suggestion}\nhint: write one of {}", KNOWN.join(", ")))
    })
}

fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WeightProfile, D::Error> {
    parse_profile(&String::deserialize(deserializer)?)
}

fn profiles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, WeightProfile>, D::Error> {
    let teams = BTreeMap::<String, String>::deserialize(deserializer)?;
    teams.into_iter().map(|(team, profile)| Ok((team, parse_profile(&profile)?))).collect()
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let days = u32::deserialize(deserializer)?;
    if (1..=7).contains(&days) {
        Ok(days)
    } else {
        Err(D::Error::custom(format!("must lie between 1 and 7, not {days}")))
    }
}

/// A decimal as thousandths.
fn milli<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.abs() < 1e12 {
        Ok((number * 1000.0).round() as i64)
    } else {
        Err(D::Error::custom("must be a number below 1,000,000,000,000"))
    }
}

fn some_milli<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    milli(deserializer).map(Some)
}
