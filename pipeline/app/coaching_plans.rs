//! The coaching plans of a store, and amounts of what they are about as people read them. Used by `coach` and the report.

use anyhow::{Result, anyhow};
use callmark_core::performance::{CoachingEvent, CoachingPlan, Target};
use callmark_store::Store;

use crate::commands::explain;
use crate::render::call_page::points;

/// In the order in which they were planned.
pub fn plans(store: &dyn Store) -> Result<Vec<CoachingPlan>> {
    let read = |(plan_id, event): (String, String)| {
        let damaged = |_| anyhow!("the store holds an event of the plan {plan_id} that this version cannot read");
        Ok((plan_id.clone(), serde_json::from_str::<CoachingEvent>(&event).map_err(damaged)?))
    };
    let events = store.coaching().map_err(explain)?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    CoachingPlan::all(&events).map_err(|plan| anyhow!("the store's events of the plan {plan} do not follow each other"))
}

/// A change of the target with its sign: points of the score, or a share in percentage points, without the unit.
pub fn amount(target: &Target, value: i64) -> String {
    let sign = if value > 0 { "+" } else { "" };
    match target {
        Target::Score | Target::Metric(_) => format!("{sign}{}", points(value)),
        Target::Dimension(_) | Target::Requirement(_) => {
            let minus = if value < 0 { "-" } else { "" };
            format!("{sign}{minus}{}.{}", value.abs() / 10, value.abs() % 10)
        }
    }
}
