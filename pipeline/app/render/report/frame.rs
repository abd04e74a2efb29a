//! What all pages share: the frame, names of requirements and dimensions, numbers and dates as people read them.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use callmark_core::journey::ChecklistItem;
use callmark_core::performance::CoachingPlan;
use callmark_core::record::{Status, Verdict};
use callmark_core::scorecard::{Requirement, Scorecard};
use jiff::civil::{Date, DateTime};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::journeys::Journeys;
use crate::render::call_page::{clock, points};
use crate::render::indicators::Indicators;
use crate::render::messages::Messages;
use crate::render::report::FailedRecording;
use crate::render::report::digest::{CallDigest, Digest, FlagAt, Mean, Reviews, metric_of};
use crate::render::report::site::{Layout, Page};

pub const STYLE: &str = include_str!("style.css");
pub const SCRIPT: &str = include_str!("script.js");

/// Moments of one call that a list shows.
const MOMENTS: usize = 4;

/// What every page can look up.
pub struct Context<'a> {
    pub m: &'static Messages,
    pub layout: Layout,
    pub digest: &'a Digest,
    pub scorecards: &'a [Scorecard],
    pub reviews: &'a Reviews,
    pub plans: &'a [CoachingPlan],
    pub failures: &'a [FailedRecording],
    pub journeys: Option<&'a Journeys>,
    pub journey_items: &'a [ChecklistItem],
    pub indicators: Option<&'a Indicators>,
    /// SHA-256 → name of the models that callmark knows.
    pub models: BTreeMap<String, String>,
    /// The starter model's hash: its results come with a notice.
    pub starter: Option<String>,
    /// The lists and rep pages that exist, so that no link leads nowhere.
    pub pages: BTreeSet<Page>,
}

impl Context<'_> {
    pub fn href(&self, from: &Page, to: &Page, element: Option<&str>) -> String {
        self.layout.href(from, to, element)
    }

    /// A link inside a page.
    pub fn here(&self, page: &Page, element: &str) -> String {
        self.layout.href(page, page, Some(element))
    }

    pub fn has(&self, page: &Page) -> bool {
        self.pages.contains(page)
    }

    /// The requirement in the scorecards at hand.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.scorecards.iter().find_map(|card| card.requirements.iter().find(|r| r.id == id))
    }

    /// A short name: the metric's, else the requirement's own in the language of the page, else its id; Chinese pages take the beginning of
    /// its text.
    pub fn name(&self, id: &str) -> String {
        if let Some(metric) = metric_of(id) {
            return capitalised((self.m.metric)(metric));
        }
        if let Some(name) = self.requirement(id).and_then(|r| r.name.only(self.m.language)) {
            return name.to_string();
        }
        let text = self.requirement(id).map_or("", |r| r.what.get(self.m.language));
        if self.m.tag != "en" && text.chars().any(callmark_core::recording::is_han) {
            return beginning(text).to_string();
        }
        capitalised(&id.replace('_', " "))
    }

    /// What is asked for, in one sentence; the id when no scorecard at hand knows it.
    pub fn what(&self, id: &str) -> String {
        if let Some(metric) = metric_of(id) {
            return (self.m.metric_what)(metric).to_string();
        }
        let text = self.requirement(id).map_or("", |r| r.what.get(self.m.language));
        if text.is_empty() { id.to_string() } else { text.to_string() }
    }

    pub fn why(&self, id: &str) -> &str {
        self.requirement(id).map_or("", |r| r.why.get(self.m.language))
    }

    pub fn coach(&self, id: &str) -> &str {
        match metric_of(id) {
            Some(metric) => (self.m.metric_coach)(metric),
            None => self.requirement(id).map_or("", |r| r.coach.get(self.m.language)),
        }
    }

    pub fn dimension(&self, id: &str) -> String {
        (self.m.dimension)(id).map_or_else(|| id.replace('_', " "), str::to_string)
    }

    pub fn model_name<'b>(&'b self, hash: &'b str) -> &'b str {
        self.models.get(hash).map_or_else(|| hash.get(..8).unwrap_or(hash), String::as_str)
    }

    /// A metric's raw value in a unit that people read.
    pub fn metric_value(&self, id: &str, value: i64, chinese: bool) -> String {
        let m = self.m;
        let tenths = |divisor: f64| format!("{:.1}", value as f64 / divisor).replace('-', "−");
        let base = id.strip_suffix("_en").or_else(|| id.strip_suffix("_zh")).unwrap_or(id);
        match base {
            "pace_rep" | "pace_customer" if chinese => (m.characters_per_minute)(&value.to_string()),
            "pace_rep" | "pace_customer" => (m.words_per_minute)(&value.to_string()),
            _ if base.ends_with("_permille") => (m.percent)(&format!("{:.0}", value as f64 / 10.0)),
            _ if base.ends_with("_ms") => (m.seconds)(&tenths(1000.0)),
            _ if base.ends_with("_milli") || base.contains("_milli_") => tenths(1000.0),
            _ => value.to_string(),
        }
    }

    pub fn rep_label<'b>(&'b self, id: &'b str) -> &'b str {
        if id == callmark_core::performance::UNASSIGNED { self.m.unassigned } else { id }
    }

    pub fn rep_page(&self, rep: usize) -> Page {
        Page::Rep(self.digest.reps[rep].id.clone(), 0)
    }

    /// A count that opens the calls behind it.
    pub fn count(&self, from: &Page, n: u64, list: Page) -> Markup {
        html! { @if n > 0 && self.has(&list) { a href=(self.href(from, &list, None)) { (n) } } @else { (n) } }
    }

    /// A table of calls; each row leads to the call and its moments (of one requirement, when the list is about it).
    pub fn calls_table(&self, from: &Page, calls: &[usize], with_rep: bool, about: Option<&str>) -> Markup {
        let m = self.m;
        html! {
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.call)) {
                table.sortable {
                    thead { tr {
                        (sortable(m, m.when, false))
                        (sortable(m, m.call, false))
                        @if with_rep { (sortable(m, m.rep, false)) }
                        (sortable(m, m.duration, true))
                        (sortable(m, m.score, true))
                        (sortable(m, m.result, false))
                        th scope="col" { (m.moments) }
                    } }
                    tbody { @for index in calls { (self.call_row(from, *index, with_rep, about)) } }
                }
            }
        }
    }

    fn call_row(&self, from: &Page, index: usize, with_rep: bool, about: Option<&str>) -> Markup {
        let m = self.m;
        let (call, summary) = (&self.digest.calls[index], &self.digest.summaries[index]);
        let page = Page::Call(summary.call_id.clone());
        html! {
            tr {
                td data-v=(call.start.map_or(String::new(), |start| start.to_string())) { (when(m, call.start, None)) }
                th.id scope="row" { a href=(self.href(from, &page, None)) { bdi { (summary.call_id) } } }
                @if with_rep {
                    td.id { a href=(self.href(from, &self.rep_page(call.rep), None)) { bdi { (self.rep_label(&self.digest.reps[call.rep].id)) } } }
                }
                td.n data-v=(call.duration_ms.unwrap_or(0)) { (call.duration_ms.map_or("–".to_string(), clock)) }
                td.n data-v=(summary.score.unwrap_or(-1)) { (summary.score.map_or("–".to_string(), points)) }
                td {
                    (verdict(m, summary.status, call.verdict, call.fatal_confirmed))
                    @if let Some(reason) = call.reason { " " small { ((m.reason)(reason)) } }
                }
                td.moments { (self.moments(from, &page, call, about)) }
            }
        }
    }

    fn moments(&self, from: &Page, page: &Page, call: &CallDigest, about: Option<&str>) -> Markup {
        let m = self.m;
        let id = |flag: &FlagAt| self.digest.requirements[flag.requirement].id.as_str();
        let flags: Vec<&FlagAt> =
            call.flags.iter().filter(|flag| about.is_none_or(|about| about == id(flag))).collect();
        let rest = flags.len().saturating_sub(MOMENTS) as u64;
        html! {
            @for flag in flags.into_iter().take(MOMENTS) {
                a.moment href=(self.href(from, page, Some(&format!("row-{}", flag.row)))) {
                    @if let Some(begin_ms) = flag.begin_ms { (clock(begin_ms)) " " }
                    (self.name(id(flag)))
                }
            }
            @if rest > 0 { small { ((m.more_moments)(rest)) } }
        }
    }
}

/// A Chinese sentence up to its first mark, without who acts; all of it where that only says when.
fn beginning(text: &str) -> &str {
    let clause = text.split(['：', '，', '。', '（', '、']).next().unwrap_or(text);
    let said = ["销售代表", "客服代表", "客服"].iter().fold(clause, |said, who| said.trim_start_matches(who));
    let only_when = said.is_empty() || ["时", "之前", "之后"].iter().any(|end| said.ends_with(end));
    if only_when { text.trim_end_matches('。') } else { said }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Points with a real minus sign.
pub fn signed_points(millipoints: i64) -> String {
    points(millipoints).replace('-', "−")
}

/// A verdict as shape, word and colour.
pub fn verdict(m: &Messages, status: Status, verdict: Option<Verdict>, fatal_confirmed: bool) -> Markup {
    let (mark, class, word) = match (status, verdict) {
        (Status::PendingReview, _) => ("◇", "pending", (m.status)(status)),
        (Status::Scored, Some(verdict)) => {
            let (mark, class) = match verdict {
                Verdict::Pass => ("●", "pass"),
                Verdict::Coach => ("◐", "coach"),
                Verdict::Flag => ("▲", "flagged"),
                Verdict::AutoFail => ("■", if fatal_confirmed { "auto-fail" } else { "flagged" }),
            };
            (mark, class, (m.verdict)(verdict))
        }
        _ => ("–", "none", (m.status)(status)),
    };
    html! { span.verdict.(class) { i aria-hidden="true" { (mark) } " " (word) } }
}

/// A column heading with a button that sorts.
pub fn sortable(m: &Messages, heading: &str, number: bool) -> Markup {
    html! { th.n[number] scope="col" aria-sort="none" { button.sort type="button" title=((m.sort_by)(heading)) { (heading) } } }
}

/// `2025-02-19 Wed`.
pub fn day(m: &Messages, date: Date) -> String {
    format!("{date} {}", (m.weekday)(date.weekday()))
}

/// Date with weekday, time, and zone when it is known.
pub fn when(m: &Messages, start: Option<DateTime>, zone: Option<&str>) -> Markup {
    match start {
        Some(start) => html! {
            time datetime=(start.to_string()) { (day(m, start.date())) " " (format!("{:02}:{:02}", start.hour(), start.minute())) }
            @if let Some(zone) = zone { " " small { (zone) } }
        },
        None => html! { span.muted { (m.no_start) } },
    }
}

/// Per mille as a whole percentage.
pub fn share(permille: f64) -> String {
    format!("{:.0}", permille / 10.0)
}

/// Millipoints of an estimate, limited to what a score can be.
pub fn limited(millipoints: f64) -> String {
    points(millipoints.clamp(0.0, 100_000.0).round() as i64)
}

/// `72.4 (60.1–84.0)`.
pub fn with_interval(mean: &Mean) -> String {
    match mean.interval {
        Some((low, high)) => format!("{} ({}–{})", limited(mean.mean), limited(low), limited(high)),
        None => limited(mean.mean),
    }
}

/// A page in the frame of a section: breadcrumbs, then what the page says.
pub fn section(context: &Context, page: &Page, trail: &[(String, Page)], title: &str, body: &Markup) -> Markup {
    let m = context.m;
    html! {
        section.page id=(context.layout.top(page)) data-page=(page.id()) data-title=(title) {
            @if *page != Page::Team {
                nav.crumbs aria-label=(m.breadcrumbs) { ol {
                    @for (name, to) in trail { li { a href=(context.href(page, to, None)) { bdi { (name) } } } }
                    li aria-current="page" { bdi { (title) } }
                } }
            }
            (body)
        }
    }
}

/// Links to the neighbours of a part of a long list.
pub fn parts(context: &Context, page: &Page, part: usize, parts: usize, at: impl Fn(usize) -> Page) -> Markup {
    let m = context.m;
    html! {
        @if parts > 1 {
            nav.parts aria-label=((m.page_of)(part as u64 + 1, parts as u64)) {
                @if part > 0 { a rel="prev" href=(context.href(page, &at(part - 1), None)) { "← " (m.previous_page) } }
                span { ((m.page_of)(part as u64 + 1, parts as u64)) }
                @if part + 1 < parts { a rel="next" href=(context.href(page, &at(part + 1), None)) { (m.next_page) " →" } }
            }
        }
    }
}

/// A whole HTML file. A one-file report carries style and script inside; their hashes are all that its policy lets run.
pub fn document(context: &Context, page: &Page, title: &str, sections: &str) -> String {
    let m = context.m;
    let hash = |text: &str| format!("'sha256-{}'", base64::prelude::BASE64_STANDARD.encode(Sha256::digest(text)));
    let single = context.layout == Layout::Single;
    let (style, script) =
        if single { (hash(STYLE), hash(SCRIPT)) } else { ("'self' file:".to_string(), "'self' file:".to_string()) };
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; img-src data:; media-src data: 'self' file:; base-uri 'none'; form-action 'none'"
    );
    let keys = html! {
        dialog.keys aria-label=(m.keys) {
            h2 { (m.keys) }
            dl { @for (key, what) in m.keys_list { div { dt { kbd { (key) } } dd { (what) } } } }
            form method="dialog" { button { (m.close) } }
        }
    };
    html! {
        (DOCTYPE)
        html lang=(m.tag) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (title) " – callmark" }
                link rel="icon" href="data:,";
                @if single { style { (PreEscaped(STYLE)) } } @else { link rel="stylesheet" href=(context.layout.asset(page, "style.css")); }
            }
            body data-layout=(if single { "single" } else { "folder" }) {
                a.skip href="#main" { (m.skip) }
                header.top {
                    a.brand href=(context.href(page, &Page::Team, None)) { b { "callmark" } " " (m.report_title) }
                    span { (m.print_note) }
                    button.show-keys type="button" { (m.keys) " " kbd { "?" } }
                }
                noscript { p.notice { (m.no_script) } }
                main id="main" tabindex="-1" { (PreEscaped(sections)) }
                (keys)
                @if single { script { (PreEscaped(SCRIPT)) } } @else { script src=(context.layout.asset(page, "script.js")) {} }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_text_without_a_name_is_called_by_what_it_asks() {
        for (text, name) in [
            ("销售代表使用绝对化用语（国家级、最高级、全网最低等）。", "使用绝对化用语"),
            ("客户生气时，客服代表先表示理解。", "客户生气时，客服代表先表示理解"),
            (
                "客服代表（或坐席声道的提示音）在开头告知通话会被录音。",
                "客服代表（或坐席声道的提示音）在开头告知通话会被录音",
            ),
            ("抢话", "抢话"),
        ] {
            assert_eq!(beginning(text), name);
        }
    }
}
