//! `callmark search`: turns in which something was said, with the place where it can be heard.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Result, anyhow};
use callmark_core::recording::is_han;
use callmark_core::transcript::Role;
use callmark_store::{CallFilter, SearchHit, SearchQuery, SearchResults, Terms};
use serde_json::{Value, json};

use crate::FINISHED;
use crate::cli::{Common, Listing, SearchArgs, Speaker};
use crate::commands::{counted, existing_store, explain};
use crate::config::Config;
use crate::render::call_page::{clock, role};
use crate::render::outputs::snake;

/// Columns of a snippet on each side of the first hit; a Chinese character takes two.
const CONTEXT_COLUMNS: usize = 60;

pub fn search(args: &SearchArgs, common: &Common) -> Result<u8> {
    let text = args.query.join(" ");
    let terms = Terms::parse(&text).ok_or_else(|| {
        anyhow!("there is no word to search for in `{text}`\nhint: callmark search \"cancel my policy\"")
    })?;
    let store = existing_store(common)?;
    let config = Config::load(common)?;
    let day = |text: &Option<String>| text.as_deref().map(str::parse).transpose();
    let calls = CallFilter {
        since: day(&args.since)?,
        until: day(&args.until)?,
        rep: args.rep.as_deref().map(|name| config.rep_id(name)),
        team: args.team.clone(),
        ..CallFilter::default()
    };
    let speaker = args.role.map(|speaker| match speaker {
        Speaker::Rep => Role::Rep,
        Speaker::Customer => Role::Customer,
    });
    let query = SearchQuery { terms, role: speaker, calls, limit: args.limit as usize };
    let found = store.search(&query).map_err(explain)?;
    let mut out = std::io::stdout().lock();
    match args.format {
        Listing::Json => {
            serde_json::to_writer_pretty(&mut out, &listing_json(&found, &query.terms))?;
            writeln!(out)?;
        }
        Listing::Table => {
            let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let marks = if colour { ("\x1b[1;4m", "\x1b[0m") } else { ("[", "]") };
            out.write_all(listing(&found, &query.terms, marks).as_bytes())?;
            if found.hits.is_empty() && !common.quiet {
                eprintln!("nothing found");
                if text.contains(|c: char| c.is_ascii_alphabetic()) && !text.contains('*') {
                    eprintln!("hint: words are found whole; `cancel*` also finds `cancelled`");
                }
            }
        }
    }
    Ok(FINISHED)
}

/// Hits under the call that they are in. Writing into a String cannot fail.
fn listing(found: &SearchResults, terms: &Terms, marks: (&str, &str)) -> String {
    let mut out = String::new();
    let mut call = None;
    for hit in &found.hits {
        if call != Some(&hit.call_id) {
            let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".into());
            let paths: Vec<&str> = hit.recordings.iter().map(|link| link.path.as_str()).collect();
            let _ = writeln!(
                out,
                "{}{}  {}  {}  {}",
                if call.is_some() { "\n" } else { "" },
                hit.call_id,
                known(&hit.rep_id),
                known(&hit.start_ts),
                paths.join("  ")
            );
            call = Some(&hit.call_id);
        }
        let time = if hit.timed { clock(hit.begin_ms) } else { "  –  ".into() };
        let _ = writeln!(out, "  {time}  {:<8}  {}", role(hit.role), snippet(&hit.text, terms, marks));
    }
    if found.turns > 0 {
        let all = found.hits.len() as u64 == found.turns;
        let shown = if all { String::new() } else { format!("; the first {} are shown (--limit)", found.hits.len()) };
        let (turns, calls) = (counted(found.turns, "turn"), counted(found.calls, "call"));
        let _ = writeln!(out, "\n{turns} in {calls}{shown}");
    }
    out
}

/// The text around its first hit as one line, hits marked. What a recording holds must not steer a terminal.
fn snippet(text: &str, terms: &Terms, (open, close): (&str, &str)) -> String {
    let hits = terms.marks(text);
    let first = hits.first().map_or(0..0, Clone::clone);
    let width = |c: char| if is_han(c) { 2 } else { 1 };
    let mut left = CONTEXT_COLUMNS;
    let before = text[..first.start].char_indices().rev().take_while(|(_, c)| {
        left = left.saturating_sub(width(*c));
        left > 0
    });
    let begin = before.last().map_or(first.start, |(at, _)| at);
    let mut left = CONTEXT_COLUMNS;
    let after = text[first.end..].char_indices().take_while(|(_, c)| {
        left = left.saturating_sub(width(*c));
        left > 0
    });
    let end = after.last().map_or(first.end, |(at, c)| first.end + at + c.len_utf8());
    let mut out = String::from(if begin > 0 { "…" } else { "" });
    for (at, c) in text[begin..end].char_indices().map(|(at, c)| (begin + at, c)) {
        if hits.iter().any(|hit| hit.start == at) {
            out.push_str(open);
        }
        out.push(if c.is_control() || c.is_whitespace() { ' ' } else { c });
        if hits.iter().any(|hit| hit.end == at + c.len_utf8()) {
            out.push_str(close);
        }
    }
    // A hit that goes on behind the snippet.
    if hits.iter().any(|hit| hit.start < end && hit.end > end) {
        out.push_str(close);
    }
    out.push_str(if end < text.len() { "…" } else { "" });
    out
}

fn listing_json(found: &SearchResults, terms: &Terms) -> Value {
    let hits: Vec<Value> = found.hits.iter().map(|hit| hit_json(hit, terms)).collect();
    json!({"turns": found.turns, "calls": found.calls, "hits": hits})
}

/// `marks` are `[begin, end)` in characters (Unicode code points) of `text`.
fn hit_json(hit: &SearchHit, terms: &Terms) -> Value {
    let characters = |bytes: usize| hit.text[..bytes].chars().count();
    let marks = terms.marks(&hit.text).into_iter().map(|mark| [characters(mark.start), characters(mark.end)]);
    let recordings = hit.recordings.iter().map(
        |link| json!({"recording_id": link.recording_id, "path": link.path, "exists": Path::new(&link.path).is_file()}),
    );
    json!({
        "call_id": hit.call_id,
        "rep_id": hit.rep_id,
        "team": hit.team,
        "start_ts": hit.start_ts,
        "turn": hit.turn,
        "role": snake(&hit.role),
        "begin_ms": hit.timed.then_some(hit.begin_ms),
        "end_ms": hit.timed.then_some(hit.end_ms),
        "text": hit.text,
        "marks": marks.collect::<Vec<_>>(),
        "is_phrase": hit.is_phrase,
        "recordings": recordings.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_one_short_line_around_the_hit() {
        let of = |query: &str, text: &str| snippet(text, &Terms::parse(query).unwrap(), ("[", "]"));
        assert_eq!(of("policy", "Cancel my\npolicy\u{1b}[31m now"), "Cancel my [policy] [31m now");
        assert_eq!(of("保单", "我要取消保單"), "我要取消[保單]");
        let long = format!("{} policy {}", "word ".repeat(40), "word ".repeat(40));
        let line = of("policy", &long);
        assert!(line.starts_with('…') && line.ends_with('…') && line.contains("[policy]"), "{line}");
        assert!(line.chars().count() < 135, "{line}");
        let chinese = format!("{}保单{}", "好".repeat(100), "好".repeat(100));
        assert_eq!(of("保单", &chinese).matches('好').count(), 58);
        let all = of("a b c", &"a b c ".repeat(100));
        assert_eq!(
            (all.matches('[').count(), all.matches('[').count()),
            (all.matches(']').count(), all.matches(']').count())
        );
    }
}
