//! `[journey]` of the configuration: the checklist of journeys, and from when on a promise is stale or a valuable opportunity neglected.

use std::collections::BTreeSet;

use callmark_core::journey::{ChecklistItem, JourneySettings, Limit, MentionKind, Rule, TouchpointKind};
use callmark_core::scorecard::Text;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// As the file has it. Keys are missing only while a layer is checked alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JourneyConfig {
    #[serde(rename = "item", deserialize_with = "items")]
    items: Vec<ChecklistItem>,
    #[serde(deserialize_with = "days")]
    stale_days: u32,
    #[serde(deserialize_with = "days")]
    neglect_days: u32,
    #[serde(deserialize_with = "permille")]
    top_share: u16,
    #[serde(deserialize_with = "days")]
    window_days: u32,
    #[serde(deserialize_with = "days")]
    busy_touches: u32,
}

impl JourneyConfig {
    /// For the tables.
    pub fn settings(&self) -> JourneySettings {
        JourneySettings {
            items: self.items.clone(),
            stale_days: self.stale_days,
            neglect_days: self.neglect_days,
            top_share_permille: self.top_share,
            window_days: self.window_days,
            busy_touches: self.busy_touches,
        }
    }
}

/// `[[journey.item]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemConfig {
    id: String,
    what: Text,
    event: TouchpointKind,
    after: Option<TouchpointKind>,
    within_hours: Option<u32>,
    within_days: Option<u32>,
    before: Option<TouchpointKind>,
    repeats: Option<BTreeSet<MentionKind>>,
    share: Option<f64>,
}

impl ItemConfig {
    /// The item, or what is wrong with it.
    fn checked(self) -> Result<ChecklistItem, String> {
        let ItemConfig { id, what, event, after, within_hours, within_days, before, repeats, share } = self;
        let limit = match (within_hours, within_days) {
            (Some(hours), None) => Some(Limit::Hours(hours)),
            (None, Some(days)) => Some(Limit::Days(days)),
            _ => None,
        };
        let limits = within_hours.is_some() || within_days.is_some();
        let rule = match (after, limit, before, repeats, share) {
            (Some(after), Some(limit), None, None, None) => Rule::Within { event, after, limit },
            (None, None, Some(before), None, None) if !limits => Rule::Before { event, before },
            (None, None, None, Some(said), Some(share)) if !limits && !said.is_empty() => {
                Rule::Repeats { event, said, share_permille: share_permille(share)? }
            }
            _ => {
                return Err(format!(
                    "the item `{id}` of the journey is no rule\nhint: beside `event` it needs `after` with `within_hours` or `within_days`; or \
                     `before`; or `repeats` with `share`"
                ));
            }
        };
        let most = match limit {
            Some(Limit::Hours(hours)) => hours / 24,
            Some(Limit::Days(days)) => days,
            None => 0,
        };
        if most > MOST_DAYS {
            return Err(format!("the limit of the item `{id}` is longer than ten years\nhint: within_days = 30"));
        }
        Ok(ChecklistItem { id, what, rule })
    }
}

const MOST_DAYS: u32 = 3_660;

fn items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ChecklistItem>, D::Error> {
    let items: Vec<ItemConfig> = Vec::deserialize(deserializer)?;
    let items: Vec<ChecklistItem> =
        items.into_iter().map(ItemConfig::checked).collect::<Result<_, _>>().map_err(D::Error::custom)?;
    for (index, item) in items.iter().enumerate() {
        if items[..index].iter().any(|other| other.id == item.id) {
            let id = &item.id;
            return Err(D::Error::custom(format!("two items of the journey are called `{id}`\nhint: rename one")));
        }
    }
    Ok(items)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let known = u32::try_from(number).ok().filter(|days| (1..=MOST_DAYS).contains(days));
    known.ok_or_else(|| D::Error::custom(format!("must lie between 1 and {MOST_DAYS}, not {number}")))
}

fn share_permille(share: f64) -> Result<u16, String> {
    if (0.0..=1.0).contains(&share) {
        Ok((share * 1000.0).round() as u16)
    } else {
        Err(format!("a share lies between 0 and 1, not at {share}"))
    }
}

fn permille<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    share_permille(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIT: &str = "[[item]]\nid = 'visit'\nwhat = 'A visit'\nevent = 'visit'\n";

    #[test]
    fn an_item_is_one_rule() {
        let parse = |rest: &str| toml::from_str::<JourneyConfig>(&format!("{VISIT}{rest}"));
        let rule = |rest: &str| parse(rest).unwrap().settings().items.remove(0).rule;
        let visit = TouchpointKind::Visit;
        assert_eq!(
            rule("after = 'delivery'\nwithin_days = 30"),
            Rule::Within { event: visit, after: TouchpointKind::Delivery, limit: Limit::Days(30) }
        );
        assert_eq!(rule("before = 'contract'"), Rule::Before { event: visit, before: TouchpointKind::Contract });
        assert_eq!(
            rule("repeats = ['worry']\nshare = 0.25"),
            Rule::Repeats { event: visit, said: BTreeSet::from([MentionKind::Worry]), share_permille: 250 }
        );
        for (rest, meaning) in [
            ("", "is no rule"),
            ("after = 'delivery'", "is no rule"),
            ("after = 'delivery'\nwithin_days = 3\nwithin_hours = 3", "is no rule"),
            ("before = 'contract'\nwithin_days = 3", "is no rule"),
            ("repeats = []\nshare = 0.3", "is no rule"),
            ("repeats = ['worry']\nshare = 3", "between 0 and 1"),
            ("before = 'contrat'", "unknown variant"),
            ("after = 'delivery'\nwithin_days = 99999", "ten years"),
            (
                "before = 'contract'\n[[item]]\nid = 'visit'\nwhat = 'x'\nevent = 'visit'\nbefore = 'closed'",
                "two items",
            ),
        ] {
            let error = parse(rest).unwrap_err().to_string();
            assert!(error.contains(meaning), "{rest}: {error}");
        }
    }
}
