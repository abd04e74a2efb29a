//! Who is who: aliases of reps, and their team at the time of the call.

use std::collections::HashMap;

use callmark_core::recording::Metadata;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

/// `[[rep]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rep {
    /// What the tables show.
    pub id: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub teams: Vec<Membership>,
    /// For the comparison of groups in the report, and for nothing else.
    #[serde(default)]
    pub group: Option<String>,
}

/// A team that a rep belongs to from a day on; without a day, since ever.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    pub team: String,
    #[serde(default, deserialize_with = "day")]
    pub since: Option<Date>,
}

/// A day, quoted or as TOML's own date.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(date) => date.to_string(),
        other => other.to_string(),
    };
    let parsed = text.trim().parse();
    parsed.map(Some).map_err(|_| serde::de::Error::custom(format!("`{text}` is no day like 2025-03-01")))
}

/// Aliases are compared without capital letters, white space and full-width forms.
fn key(name: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    name.chars().filter(|c| !c.is_whitespace()).map(narrow).flat_map(char::to_lowercase).collect()
}

fn names(rep: &Rep) -> impl Iterator<Item = String> + '_ {
    std::iter::once(&rep.id).chain(&rep.aliases).map(|name| key(name))
}

/// Finds names that stand for nobody or for two reps, and days with two teams.
pub fn check_reps(reps: &[Rep]) -> Result<(), String> {
    let mut owner: HashMap<String, &str> = HashMap::new();
    for rep in reps {
        for name in names(rep) {
            if name.is_empty() {
                return Err(format!("the rep `{}` has a blank id or alias\nhint: remove or fill it", rep.id));
            }
            if let Some(other) = owner.insert(name.clone(), &rep.id).filter(|other| *other != rep.id) {
                return Err(format!(
                    "the name `{name}` stands for two reps: {other} and {}\nhint: an alias may belong to one rep only",
                    rep.id
                ));
            }
        }
        if rep.group.as_ref().is_some_and(|group| group.trim().is_empty()) {
            return Err(format!("the rep `{}` has a blank group\nhint: name it, or leave it out", rep.id));
        }
        let mut days: Vec<Option<Date>> = rep.teams.iter().map(|membership| membership.since).collect();
        days.sort();
        if days.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(format!(
                "the rep `{}` has two teams since the same day\nhint: give each team but the first its own `since`",
                rep.id
            ));
        }
    }
    Ok(())
}

/// The rep table, ready to look names up.
#[derive(Debug, Default)]
pub struct Reps {
    reps: Vec<Rep>,
    by_name: HashMap<String, usize>,
}

impl Reps {
    pub fn new(reps: &[Rep]) -> Reps {
        let mut reps = reps.to_vec();
        reps.iter_mut().for_each(|rep| rep.teams.sort_by_key(|membership| membership.since));
        let by_name = reps.iter().enumerate().flat_map(|(index, rep)| names(rep).map(move |name| (name, index)));
        Reps { by_name: by_name.collect(), reps }
    }

    /// The group that the site named for a rep.
    pub fn group(&self, rep_id: &str) -> Option<&str> {
        let group = self.reps[*self.by_name.get(&key(rep_id))?].group.as_deref()?;
        Some(group.trim())
    }

    /// The id that a name stands for; a name that is nobody's alias as it is written.
    pub fn id<'a>(&'a self, name: &'a str) -> &'a str {
        self.by_name.get(&key(name)).map_or(name, |index| &self.reps[*index].id)
    }

    /// Puts the rep's id for an alias, and the team that the rep had when the call began where the metadata name none.
    /// Unknown reps stay as written.
    pub fn resolve(&self, metadata: &mut Metadata) {
        let Some(index) = metadata.rep_id.as_deref().and_then(|name| self.by_name.get(&key(name))) else { return };
        let rep = &self.reps[*index];
        metadata.rep_id = Some(rep.id.clone());
        if metadata.team.is_none() {
            metadata.team = team(rep, metadata.start_ts.as_deref());
        }
    }
}

/// The team on the day of the call; without a day only a rep who never changed has one.
fn team(rep: &Rep, start_ts: Option<&str>) -> Option<String> {
    let membership = match start_ts.and_then(|stamp| stamp.get(..10)?.parse::<Date>().ok()) {
        Some(day) => rep.teams.iter().rev().find(|membership| membership.since.is_none_or(|since| since <= day)),
        None => rep.teams.first().filter(|first| rep.teams.len() == 1 && first.since.is_none()),
    };
    membership.map(|membership| membership.team.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stands_for_its_rep() {
        let reps = reps();
        assert_eq!(["zhang san", "1017", "r17", "R99"].map(|name| reps.id(name)), ["r17", "r17", "r17", "R99"]);
    }

    fn reps() -> Reps {
        let since = |day: &str| Some(day.parse().unwrap());
        let teams = vec![
            Membership { team: "south".into(), since: since("2025-03-01") },
            Membership { team: "north".into(), since: None },
        ];
        let steady = vec![Membership { team: "east".into(), since: None }];
        Reps::new(&[
            Rep {
                id: "r17".into(),
                aliases: vec!["Zhang San".into(), "1017".into(), "张三".into()],
                teams,
                group: Some(" evening".into()),
            },
            Rep { id: "r18".into(), aliases: vec![], teams: steady, group: None },
        ])
    }

    fn resolved(rep: &str, team: Option<&str>, start_ts: Option<&str>) -> (String, Option<String>) {
        let text = |s: &str| Some(s.to_string());
        let (team, start_ts) = (team.and_then(text), start_ts.and_then(text));
        let mut metadata = Metadata { rep_id: text(rep), team, start_ts, ..Metadata::default() };
        reps().resolve(&mut metadata);
        (metadata.rep_id.unwrap(), metadata.team)
    }

    #[test]
    fn aliases_ignore_case_white_space_and_full_width_forms() {
        for alias in ["Zhang San", "zhangsan", " ZHANG  san", "ＺＨＡＮＧ　ＳＡＮ", "1017", "１０１７", "张 三", "R17"]
        {
            assert_eq!(resolved(alias, None, None), ("r17".into(), None), "{alias}");
        }
        assert_eq!(resolved("Zhang Si", None, Some("2025-01-01")), ("Zhang Si".into(), None));
        let mut nobody = Metadata::default();
        reps().resolve(&mut nobody);
        assert_eq!(nobody, Metadata::default());
    }

    #[test]
    fn groups_are_found_by_any_name_and_only_where_one_is_given() {
        assert_eq!((reps().group("ZHANG san"), reps().group("r18"), reps().group("x")), (Some("evening"), None, None));
        let blank = Rep { id: "r1".into(), aliases: vec![], teams: vec![], group: Some(" ".into()) };
        assert!(check_reps(&[blank]).unwrap_err().contains("blank group"));
    }

    #[test]
    fn the_team_is_the_one_at_the_time_of_the_call() {
        let team = |given, start| resolved("1017", given, start).1;
        assert_eq!(team(None, Some("2025-02-28T23:59:59")).as_deref(), Some("north"));
        assert_eq!(team(None, Some("2025-03-01T00:00:00+08:00")).as_deref(), Some("south"));
        assert_eq!(team(Some("west"), Some("2025-03-02")).as_deref(), Some("west"), "metadata win");
        assert_eq!(team(None, None), None, "a call without a day has no team of a rep who changed");
        assert_eq!(resolved("r18", None, None).1.as_deref(), Some("east"));
    }
}
