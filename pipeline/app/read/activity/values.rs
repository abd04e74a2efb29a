//! Values of call logs and sales exports: numbers, lengths of time and days as people and systems write them. What is refused is refused
//! with a rule, never with the value: it may be a customer's.

use callmark_core::journey::Moment;
use callmark_core::performance::Unit;
use jiff::ToSpan as _;
use jiff::civil::{Date, Time, date};
use jiff::fmt::strtime::BrokenDownTime;

use crate::read::metadata::fields::{stamp, yes_or_no};

/// Larger numbers are mistakes.
const MOST: i128 = 1_000_000_000_000;
/// Days since 1899-12-30 that spreadsheets write for dates of 1954 to 2119; other numbers are no dates.
const EXCEL_DAYS: std::ops::RangeInclusive<f64> = 20_000.0..=80_000.0;

/// A value in the unit in which its measure is kept, or the rule that it breaks; `None` for an empty cell.
pub fn measure(text: &str, unit: Unit) -> Result<Option<i64>, &'static str> {
    let text = narrow(text);
    let text = text.trim();
    if text.is_empty() || text == "-" {
        return Ok(None);
    }
    let value = match unit {
        Unit::Count => match yes_or_no(text) {
            Some(yes) => i64::from(yes),
            None => whole(thousandths(text)?)?,
        },
        // Thousandths of a second are milliseconds.
        Unit::Seconds => clock(text).map_or_else(|| thousandths(text), Ok)?,
        Unit::Money => thousandths(text.trim_matches(|c: char| "$€£¥￥元".contains(c) || c.is_whitespace()))?,
    };
    Ok(Some(value))
}

/// A day: as `format` says (strftime); else with the year first, or a spreadsheet's day number. The rule that it breaks otherwise.
pub fn day(text: &str, format: Option<&str>) -> Result<Date, &'static str> {
    moment(text, format).map(|moment| moment.day)
}

/// The same with the time of day, where there is one.
pub fn moment(text: &str, format: Option<&str>) -> Result<Moment, &'static str> {
    let text = narrow(text);
    let text = text.trim();
    if text.is_empty() {
        return Err("no date");
    }
    if let Some(format) = format {
        let parsed = jiff::fmt::strtime::parse(format, text).ok();
        let time = |parsed: &BrokenDownTime| parsed.hour().and_then(|_| parsed.to_time().ok());
        let parsed = parsed.and_then(|parsed| Some(Moment { day: parsed.to_date().ok()?, time: time(&parsed) }));
        return parsed.or_else(|| excel_moment(text)).ok_or("not a date in the date_format of the mapping");
    }
    stamp(text)
        .and_then(|stamp| stamp.parse().ok())
        .or_else(|| excel_moment(text))
        .ok_or("not a date with the year first like 2025-02-19 (another order: date_format in the mapping)")
}

/// Days since 1899-12-30, with the time of day as a fraction; a whole number is a day alone.
fn excel_moment(text: &str) -> Option<Moment> {
    const SECONDS_OF_A_DAY: f64 = 86_400.0;
    let days: f64 = text.parse().ok().filter(|days| EXCEL_DAYS.contains(days))?;
    let day = date(1899, 12, 30).checked_add((days as i64).days()).ok()?;
    let seconds = (days.fract() * SECONDS_OF_A_DAY).round() as i64;
    // A fraction that rounds up to midnight stays on its day.
    let time = (days.fract() > 0.0).then(|| Time::midnight().saturating_add(seconds.min(86_399).seconds()));
    Some(Moment { day, time })
}

/// Full-width forms as the ASCII that they stand for, the ideographic space as a space.
fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{A0}' | '\u{202F}' | '\u{2009}' => ' ',
        other => other,
    };
    text.chars().map(narrow).collect()
}

/// `h:mm:ss` or `m:ss`, as milliseconds.
fn clock(text: &str) -> Option<i64> {
    let parts: Vec<i64> = text.split(':').map(|part| part.parse::<u32>().ok().map(i64::from)).collect::<Option<_>>()?;
    let seconds = match parts[..] {
        [minutes, seconds] if seconds < 60 => minutes * 60 + seconds,
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    Some(seconds * 1000)
}

fn whole(thousandths: i64) -> Result<i64, &'static str> {
    if thousandths % 1000 == 0 { Ok(thousandths / 1000) } else { Err("not a whole number") }
}

/// A decimal number as thousandths, halves rounded up. Thousands may be parted by a comma, a point, an apostrophe or a space; the last sign of
/// another kind, or a comma that parts no thousands, begins the decimals.
fn thousandths(text: &str) -> Result<i64, &'static str> {
    const NO_NUMBER: &str = "not a number";
    if let Some(rest) = text.strip_prefix(['-', '−']) {
        return Err(if rest.starts_with(|c: char| c.is_ascii_digit()) { "a negative number" } else { NO_NUMBER });
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let last = |sign: char| text.rfind(sign);
    let decimal_sign = match (last(','), last('.')) {
        (Some(comma), Some(point)) => Some(if comma > point { ',' } else { '.' }),
        (Some(_), None) if !parts_thousands(text, ',') => Some(','),
        (None, Some(_)) if text.matches('.').count() == 1 => Some('.'),
        _ => None,
    };
    let (whole, decimals) = decimal_sign.and_then(|sign| text.rsplit_once(sign)).unwrap_or((text, ""));
    let parted = [',', '.', '\'', ' '].into_iter().find(|sign| whole.contains(*sign));
    if parted.is_some_and(|sign| !parts_thousands(whole, sign)) {
        return Err(NO_NUMBER);
    }
    let whole: String = whole.chars().filter(|c| Some(*c) != parted).collect();
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !digits(&whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
        return Err(NO_NUMBER);
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| "too large a number")? };
    if whole > MOST {
        return Err("too large a number");
    }
    // Four decimals, so that the fourth rounds.
    let tenths: i128 = format!("{decimals:0<4}").get(..4).and_then(|four| four.parse().ok()).unwrap_or(0);
    i64::try_from(whole * 1000 + (tenths + 5) / 10).map_err(|_| "too large a number")
}

/// `1,234,567`: one to three digits, then groups of three.
fn parts_thousands(text: &str, sign: char) -> bool {
    let mut groups = text.split(sign);
    let digits = |group: &str| group.chars().all(|c| c.is_ascii_digit());
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && digits(group));
    first && groups.all(|group| group.len() == 3 && digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let cases = [
            ("12", Ok(Some(12_000))),
            ("１２．５", Ok(Some(12_500))),
            ("1,234", Ok(Some(1_234_000))),
            ("１，２３４", Ok(Some(1_234_000))),
            ("1,234,567.89", Ok(Some(1_234_567_890))),
            ("1.234.567,89", Ok(Some(1_234_567_890))),
            ("1.234,5", Ok(Some(1_234_500))),
            ("12,5", Ok(Some(12_500))),
            ("1 234,50", Ok(Some(1_234_500))),
            ("1'234.5", Ok(Some(1_234_500))),
            ("¥1,200.00", Ok(Some(1_200_000))),
            ("￥ 1200 元", Ok(Some(1_200_000))),
            (".5", Ok(Some(500))),
            ("0.0005", Ok(Some(1))),
            ("", Ok(None)),
            (" - ", Ok(None)),
            ("-5", Err("a negative number")),
            ("－5", Err("a negative number")),
            ("1,23,456", Err("not a number")),
            ("12 34", Err("not a number")),
            ("1.2.3", Err("not a number")),
            ("a few", Err("not a number")),
            ("1e6", Err("not a number")),
            (".", Err("not a number")),
            ("9999999999999", Err("too large a number")),
            ("99999999999999999999999999999999999999999999", Err("too large a number")),
        ];
        for (text, expected) in cases {
            assert_eq!(measure(text, Unit::Money), expected, "{text}");
        }
    }

    #[test]
    fn counts_are_whole_and_times_are_lengths() {
        assert_eq!(measure("12.0", Unit::Count), Ok(Some(12)));
        assert_eq!(measure("12.5", Unit::Count), Err("not a whole number"));
        assert_eq!((measure("Yes", Unit::Count), measure("否", Unit::Count)), (Ok(Some(1)), Ok(Some(0))));
        assert_eq!(measure("1:02:03", Unit::Seconds), Ok(Some(3_723_000)));
        assert_eq!(measure("2：03", Unit::Seconds), Ok(Some(123_000)));
        assert_eq!(measure("61.5", Unit::Seconds), Ok(Some(61_500)));
        assert_eq!(measure("1:75", Unit::Seconds), Err("not a number"));
    }

    #[test]
    fn the_time_of_day_is_kept_where_there_is_one() {
        let cases = [
            ("2025-02-19", None, Some("2025-02-19")),
            ("2025/2/19 6:01", None, Some("2025-02-19T06:01:00")),
            ("2025-02-19T06:01:22Z", None, Some("2025-02-19T06:01:22")),
            ("45707.75", None, Some("2025-02-19T18:00:00")),
            ("45707.9999999", None, Some("2025-02-19T23:59:59")),
            ("19.02.2025", Some("%d.%m.%Y"), Some("2025-02-19")),
            ("02/19/2025 06:01", Some("%m/%d/%Y %H:%M"), Some("2025-02-19T06:01:00")),
            ("soon", None, None),
        ];
        for (text, format, expected) in cases {
            assert_eq!(moment(text, format).ok().map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn days_of_every_usual_kind() {
        let cases = [
            ("2025-02-19", None, Some("2025-02-19")),
            ("2025/2/19 6:01", None, Some("2025-02-19")),
            ("2025年2月19日", None, Some("2025-02-19")),
            ("20250219", None, Some("2025-02-19")),
            // LibreOffice: =DATE(2025,2,19) as a number.
            ("45707", None, Some("2025-02-19")),
            ("45707.75", None, Some("2025-02-19")),
            ("４５７０７", None, Some("2025-02-19")),
            ("19.02.2025", Some("%d.%m.%Y"), Some("2025-02-19")),
            ("02/19/2025 06:01", Some("%m/%d/%Y %H:%M"), Some("2025-02-19")),
            ("45707", Some("%d.%m.%Y"), Some("2025-02-19")),
            ("19.02.2025", None, None),
            ("31.02.2025", Some("%d.%m.%Y"), None),
            ("1739944882", None, None),
            ("17", None, None),
            ("", None, None),
        ];
        for (text, format, expected) in cases {
            assert_eq!(day(text, format).ok().map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
    }
}
