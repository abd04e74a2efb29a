//! Lists of calls: what lies behind every number that counts calls.

use callmark_core::record::Status;
use jiff::civil::Weekday;
use maud::{Markup, html};

use crate::render::report::digest::Digest;
use crate::render::report::frame::{Context, parts};
use crate::render::report::site::{CALLS_PER_PAGE, List, Page};

/// Every list that has a call in it.
pub fn all(digest: &Digest) -> Vec<(List, Vec<usize>)> {
    let counted = |status: Status| {
        digest.summaries.iter().enumerate().filter(move |(_, call)| call.status == status).map(|(index, _)| index)
    };
    let mut lists = vec![
        (List::Scored, newest_first(digest, counted(Status::Scored).collect())),
        (List::Pending, newest_first(digest, digest.pending.clone())),
        (List::AutoFailed, newest_first(digest, digest.auto_failed.clone())),
    ];
    for (reason, calls) in &digest.unscored {
        lists.push((List::Unscored(*reason), newest_first(digest, calls.clone())));
    }
    for requirement in &digest.requirements {
        let calls = requirement.failures.iter().map(|(call, _)| *call).collect();
        lists.push((List::Requirement(requirement.id.clone()), newest_first(digest, calls)));
    }
    for (weekday, hours) in digest.hours.iter().enumerate() {
        for (hour, about) in hours.iter().enumerate() {
            lists.push((List::Hour(weekday, hour), newest_first(digest, about.calls.clone())));
        }
    }
    lists.retain(|(list, calls)| !calls.is_empty() || matches!(list, List::Requirement(_)));
    lists
}

fn newest_first(digest: &Digest, mut calls: Vec<usize>) -> Vec<usize> {
    calls.sort_by_key(|call| (std::cmp::Reverse(digest.calls[*call].start), *call));
    calls
}

/// Number of pages that a list of calls takes.
pub fn number_of_parts(calls: usize) -> usize {
    calls.div_ceil(CALLS_PER_PAGE).max(1)
}

pub fn title(context: &Context, list: &List) -> String {
    let m = context.m;
    let day = |weekday: usize| {
        let offset = i8::try_from(weekday).unwrap_or(0);
        Weekday::from_monday_zero_offset(offset).map_or("", |day| (m.weekday)(day))
    };
    match list {
        List::Scored => m.list_scored.to_string(),
        List::Pending => m.list_pending.to_string(),
        List::AutoFailed => m.list_auto_failed.to_string(),
        List::Unscored(reason) => (m.list_unscored)((m.reason)(*reason)),
        List::Requirement(id) => context.name(id),
        List::Hour(weekday, hour) => (m.list_hour)(day(*weekday), *hour),
    }
}

pub fn body(context: &Context, list: &List, calls: &[usize], part: usize) -> Markup {
    let m = context.m;
    let page = Page::List(list.clone(), part);
    let count = number_of_parts(calls.len());
    let shown = calls.chunks(CALLS_PER_PAGE).nth(part).unwrap_or(&[]);
    let navigation = parts(context, &page, part, count, |part| Page::List(list.clone(), part));
    let about = match list {
        List::Requirement(id) => Some(id.as_str()),
        _ => None,
    };
    html! {
        h1 { (title(context, list)) }
        @match list {
            List::Unscored(reason) => p.notice { ((m.remedy)(*reason)) },
            List::Requirement(id) => {
                dl.requirement {
                    dt { (m.what) } dd { (context.what(id)) }
                    @if !context.why(id).is_empty() { dt { (m.why) } dd { (context.why(id)) } }
                    @if !context.coach(id).is_empty() { dt { (m.how_to_say) } dd { (context.coach(id)) } }
                }
                h2 { (m.list_requirement) }
            },
            _ => {},
        }
        @if calls.is_empty() { p.muted { (m.list_empty) } } @else {
            p.muted {
                ((m.calls)(calls.len() as u64))
                @if count > 1 { " · " ((m.page_of)(part as u64 + 1, count as u64)) }
            }
            (context.calls_table(&page, shown, true, about))
            (navigation)
        }
    }
}
