//! The fields of call metadata: how tables name them, what their values look like, and what is said about odd values.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use callmark_core::recording::{Direction, Language, Metadata};
use regex::Regex;
use serde::Deserialize;

use crate::config::did_you_mean;

/// What a column, a key of a sidecar, or a group of a file-name pattern means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Field {
    /// The recording that a row of a table is about.
    File,
    CallId,
    RepId,
    CustomerId,
    Team,
    Campaign,
    Direction,
    CallType,
    Language,
    StartTs,
    Tz,
    CustomerTz,
    FirstContact,
    /// Kept for exports and `when:` conditions.
    Extra,
}

/// The names that configuration and patterns use.
const NAMES: &[(Field, &str)] = &[
    (Field::File, "file"),
    (Field::CallId, "call_id"),
    (Field::RepId, "rep_id"),
    (Field::CustomerId, "customer_id"),
    (Field::Team, "team"),
    (Field::Campaign, "campaign"),
    (Field::Direction, "direction"),
    (Field::CallType, "call_type"),
    (Field::Language, "language"),
    (Field::StartTs, "start_ts"),
    (Field::Tz, "tz"),
    (Field::CustomerTz, "customer_tz"),
    (Field::FirstContact, "first_contact"),
    (Field::Extra, "extra"),
];

/// How tables name the fields. Two columns of one field are an error.
const COLUMNS: &[(Field, &[&str])] = &[
    (Field::File, &["file", "filename", "file_name", "recording", "path", "文件", "文件名", "录音", "录音文件"]),
    (Field::CallId, &["call_id", "callid", "通话id", "通话编号"]),
    (Field::RepId, &["rep_id", "rep", "agent_id", "agent", "坐席", "座席", "客服", "工号"]),
    (Field::CustomerId, &["customer_id", "customer", "客户", "客户id", "客户编号"]),
    (Field::Team, &["team", "团队", "班组"]),
    (Field::Campaign, &["campaign", "活动", "项目"]),
    (Field::Direction, &["direction", "方向", "呼叫方向"]),
    (Field::CallType, &["call_type", "calltype", "type", "通话类型"]),
    (Field::Language, &["language", "lang", "语言"]),
    (Field::StartTs, &["start_ts", "start_time", "start", "started_at", "开始时间"]),
    (Field::Tz, &["tz", "timezone", "time_zone", "时区"]),
    (Field::CustomerTz, &["customer_tz", "customer_timezone", "customer_time_zone", "客户时区"]),
    (Field::FirstContact, &["first_contact", "首次联系", "首次接触"]),
];

/// Names of telephone systems, used only where no column of [`COLUMNS`] gives the field; the first in a table counts.
const SECOND_CHOICE: &[(Field, &[&str])] = &[
    (Field::File, &["recordingfile", "recording_file", "file_path", "录音文件名", "录音地址"]),
    (Field::CallId, &["uniqueid", "unique_id", "通话流水号"]),
    (Field::RepId, &["agent_name", "rep_name", "坐席姓名", "座席姓名", "坐席工号", "座席工号", "客服姓名"]),
    (Field::StartTs, &["calldate", "call_date", "call_time", "通话时间", "呼叫时间", "通话开始时间"]),
];

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Field, String> {
        Field::named(&name).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
            let suggestion = did_you_mean(&name, names.iter().copied());
            format!("`{name}` is no field of call metadata{suggestion}\nhint: the fields are {}", names.join(", "))
        })
    }
}

impl Field {
    /// The field of exactly this name.
    pub fn named(name: &str) -> Option<Field> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(field, _)| *field)
    }

    /// The field that a column of a table or a key of a sidecar surely is.
    pub fn of_column(column: &str) -> Option<Field> {
        look_up(COLUMNS, column)
    }

    /// The field that a column may be when no other column is it.
    pub fn second_choice(column: &str) -> Option<Field> {
        look_up(SECOND_CHOICE, column)
    }
}

fn look_up(names: &[(Field, &[&str])], column: &str) -> Option<Field> {
    let name = column.trim().to_lowercase().replace([' ', '-'], "_");
    names.iter().find(|(_, known)| known.contains(&name.as_str())).map(|(field, _)| *field)
}

/// For a column that callmark does not know: which one was probably meant, unless that field is there already.
pub fn near_column(column: &str, present: &[Field]) -> Option<String> {
    let missing = COLUMNS.iter().filter(|(field, _)| !present.contains(field));
    let name = column.trim().to_lowercase().replace([' ', '-'], "_");
    let suggestion = did_you_mean(&name, missing.flat_map(|(_, names)| names.iter().copied()));
    (!suggestion.is_empty()).then(|| format!("the column `{column}` is kept as it is{suggestion}"))
}

/// Kinds of oddities. Each is told once, with a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    Encoding,
    Column,
    Quote,
    MoreValues,
    Repeated,
    NoKey,
    Direction,
    Language,
    Start,
    Zone,
    FirstContact,
    Sidecar,
}

/// What was not understood; the calls are scored all the same. One line per kind, however many rows have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    found: BTreeMap<Oddity, (String, usize)>,
}

impl Warnings {
    /// Counts an oddity; the words are only made for the first of its kind.
    pub fn add(&mut self, kind: Oddity, message: impl FnOnce() -> String) {
        self.found.entry(kind).and_modify(|(_, count)| *count += 1).or_insert_with(|| (message(), 1));
    }

    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.found.values().map(|(message, count)| match count {
            1 => message.clone(),
            more => format!("{message} (and {} more like it)", more - 1),
        })
    }
}

/// Where a value stands, for warnings: `line 3`, `a.wav.json`, …
pub type Place<'a> = &'a dyn std::fmt::Display;

/// Puts one value into its field. What is not understood is left out with a warning. `column` names an extra.
pub fn set(
    metadata: &mut Metadata,
    field: Field,
    column: &str,
    value: &str,
    place: Place<'_>,
    warnings: &mut Warnings,
) {
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    let text = Some(value.to_string());
    match field {
        Field::File => {}
        Field::CallId => metadata.call_id = text,
        Field::RepId => metadata.rep_id = text,
        Field::CustomerId => metadata.customer_id = text,
        Field::Team => metadata.team = text,
        Field::Campaign => metadata.campaign = text,
        Field::CallType => metadata.call_type = text,
        Field::Tz | Field::CustomerTz => {
            let known = zone(value);
            let unknown = known.is_none();
            if field == Field::Tz {
                metadata.tz = known;
            } else {
                metadata.customer_tz = known;
            }
            if unknown {
                warnings.add(Oddity::Zone, || {
                    format!("{place}: `{value}` is no time zone like Asia/Shanghai or +08:00; it is left out")
                });
            }
        }
        Field::FirstContact => {
            metadata.first_contact = yes_or_no(value);
            if metadata.first_contact.is_none() {
                warnings.add(Oddity::FirstContact, || {
                    format!("{place}: first_contact `{value}` is neither yes nor no; it is left out")
                });
            }
        }
        Field::Direction => {
            metadata.direction = direction(value);
            if metadata.direction.is_none() {
                warnings.add(Oddity::Direction, || {
                    format!("{place}: direction `{value}` is neither inbound nor outbound; it is left out")
                });
            }
        }
        Field::Language => {
            metadata.language = text;
            if Language::parse(value).is_none() {
                warnings.add(Oddity::Language, || {
                    format!("{place}: language `{value}` is neither English nor Chinese; such calls are not scored")
                });
            }
        }
        Field::StartTs => {
            metadata.start_ts = stamp(value);
            if metadata.start_ts.is_none() {
                warnings.add(Oddity::Start, || {
                    format!(
                        "{place}: start `{value}` is no date and time like 2025-02-19T06:01:22 (year first); it is left \
                         out, and the call has no period"
                    )
                });
            }
        }
        Field::Extra => drop(metadata.extra.insert(column.trim().to_string(), value.to_string())),
    }
}

/// `None` for anything else than yes or no.
pub fn yes_or_no(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "是" => Some(true),
        "no" | "n" | "false" | "0" | "否" => Some(false),
        _ => None,
    }
}

fn direction(value: &str) -> Option<Direction> {
    match value.to_lowercase().as_str() {
        "inbound" | "in" | "incoming" | "呼入" => Some(Direction::Inbound),
        "outbound" | "out" | "outgoing" | "呼出" | "外呼" => Some(Direction::Outbound),
        _ => None,
    }
}

/// A stamp as [`Metadata::start_ts`] holds it: ISO, with or without an offset, or a date alone. ISO stays as written;
/// other forms with the year first (`2025/2/19 6:01`, `20250219-060122`, `2025年2月19日`) are brought into it.
pub fn stamp(value: &str) -> Option<String> {
    static YEAR_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(\d{4})[-/._年]?(\d{1,2})[-/._月]?(\d{1,2})日?(?:[T_\- ]*(\d{1,2})[:\-_.时]?(\d{2})(?:[:\-_.分]?(\d{2})秒?(?:[.,](\d{1,9}))?)?)?\s*(?:([Zz])|([+-]\d{2}):?(\d{2}))?$",
        )
        .ok()
    });
    let is_stamp = value.parse::<jiff::Timestamp>().is_ok()
        || value.parse::<jiff::civil::DateTime>().is_ok()
        || value.parse::<jiff::civil::Date>().is_ok();
    if is_stamp && value.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok()) {
        return Some(value.to_string());
    }
    let found = YEAR_FIRST.as_ref()?.captures(value)?;
    let part = |index: usize| found.get(index).map(|m| m.as_str());
    let date = format!("{}-{:0>2}-{:0>2}", part(1)?, part(2)?, part(3)?);
    let Some(hour) = part(4) else { return date.parse::<jiff::civil::Date>().ok().map(|date| date.to_string()) };
    let time = format!("{hour:0>2}:{}:{}", part(5)?, part(6).unwrap_or("00"));
    let civil = format!("{date}T{time}{}", part(7).map_or(String::new(), |fraction| format!(".{fraction}")));
    civil.parse::<jiff::civil::DateTime>().ok()?;
    let offset = match (part(8), part(9), part(10)) {
        (Some(_), ..) => "Z".to_string(),
        (_, Some(hours), Some(minutes)) => format!("{hours}:{minutes}"),
        _ => return Some(civil),
    };
    let stamp = format!("{civil}{offset}");
    stamp.parse::<jiff::Timestamp>().ok().map(|_| stamp)
}

/// A zone as [`Metadata::tz`] holds it: its IANA name, or an offset like `+08:00`.
fn zone(value: &str) -> Option<String> {
    static OFFSET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$").ok());
    if value.eq_ignore_ascii_case("z") {
        return Some("UTC".into());
    }
    if let Some(found) = OFFSET.as_ref()?.captures(value) {
        let minutes = found.get(3).map_or("00", |m| m.as_str());
        let (hours, over): (u8, u8) = (found[2].parse().ok()?, minutes.parse().ok()?);
        return (hours <= 14 && over < 60).then(|| format!("{}{hours:02}:{minutes}", &found[1]));
    }
    // The zone data are built in, so that every machine knows the same zones.
    jiff::tz::db().get(value).ok()?.iana_name().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_brought_into_one_form() {
        let cases = [
            ("2025-02-19T06:01:22", Some("2025-02-19T06:01:22")),
            ("2025-02-19T06:01:22Z", Some("2025-02-19T06:01:22Z")),
            ("2025-02-19 06:01:22+08:00", Some("2025-02-19 06:01:22+08:00")),
            ("2025-02-19", Some("2025-02-19")),
            ("2025-02-19T06-01-22", Some("2025-02-19T06:01:22")),
            ("2025_02_19_06_01_22", Some("2025-02-19T06:01:22")),
            ("20250219-060122", Some("2025-02-19T06:01:22")),
            ("20250219060122", Some("2025-02-19T06:01:22")),
            ("20250219T060122", Some("2025-02-19T06:01:22")),
            ("20250219", Some("2025-02-19")),
            ("2025/2/19 6:01", Some("2025-02-19T06:01:00")),
            ("2025/02/19 16:01:22.5", Some("2025-02-19T16:01:22.5")),
            ("2025年2月19日 6时01分22秒", Some("2025-02-19T06:01:22")),
            ("2025-02-19 06:01-0500", Some("2025-02-19 06:01-0500")),
            ("2025/02/19 06:01-0500", Some("2025-02-19T06:01:00-05:00")),
            ("19.02.2025 06:01", None),
            ("02/19/2025", None),
            ("2025-02-30", None),
            ("20250219256122", None),
            ("yesterday", None),
            ("1739944882", None),
        ];
        for (written, expected) in cases {
            assert_eq!(stamp(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn zones_are_names_that_exist_or_offsets() {
        let cases = [
            ("Asia/Shanghai", Some("Asia/Shanghai")),
            ("america/new_york", Some("America/New_York")),
            ("UTC", Some("UTC")),
            ("+08:00", Some("+08:00")),
            ("-0330", Some("-03:30")),
            ("GMT+8", Some("+08:00")),
            ("utc -5", Some("-05:00")),
            ("+25", None),
            ("Asia/Shangai", None),
            ("Beijing", None),
        ];
        for (written, expected) in cases {
            assert_eq!(zone(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn the_customers_zone_and_the_first_contact() {
        let (mut metadata, mut warnings) = (Metadata::default(), Warnings::default());
        let mut set = |column: &str, value: &str| {
            set(&mut metadata, Field::of_column(column).unwrap(), column, value, &"line 2", &mut warnings);
            (metadata.customer_tz.clone(), metadata.first_contact)
        };
        assert_eq!(set("Customer TZ", "america/denver"), (Some("America/Denver".into()), None));
        assert_eq!(set("首次联系", "是"), (Some("America/Denver".into()), Some(true)));
        assert_eq!(set("first_contact", "No"), (Some("America/Denver".into()), Some(false)));
        assert_eq!(set("first_contact", "perhaps").1, None);
        assert_eq!(set("customer_tz", "Mars").0, None);
        assert_eq!(warnings.lines().count(), 2);
    }

    #[test]
    fn columns_are_known_by_many_names_and_near_ones_are_noticed() {
        assert_eq!(Field::of_column(" Rep-ID "), Some(Field::RepId));
        assert_eq!(Field::of_column("录音文件"), Some(Field::File));
        assert_eq!((Field::of_column("uniqueid"), Field::second_choice("uniqueid")), (None, Some(Field::CallId)));
        assert!(near_column("agnet", &[]).unwrap().contains("`agent`"));
        assert_eq!(near_column("agnet", &[Field::RepId]), None);
        assert_eq!(near_column("disposition", &[]), None);
    }
}
