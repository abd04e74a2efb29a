//! The morning digest: one page to read aloud in five minutes, as HTML with its clips inside and as Markdown.
//!
//! What is well done is chosen by what others miss: of the moments in which a requirement was met, those of requirements that were met
//! least often lately come first. What is to be learnt from is chosen by gravity, then by points lost. Both weigh how sure the finding is. One moment per requirement, and
//! per rep as long as there are others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use callmark_core::performance::{
    self, Attention, AttentionLines, CallSummary, PeriodKind, RepRow, UNASSIGNED, attention,
};
use callmark_core::record::{CallRecord, LedgerRow, Outcome, RowKind, Severity};
use callmark_core::transcript::{Span, Turn};
use callmark_store::Store;
use maud::{Markup, html};

use super::digest::{Mean, is_finding, is_moment};
use super::frame::{self, Context, day, limited};
use super::site::{Layout, Page};
use super::{History, Options, Scope, digest, journeys};
use crate::clips::Clips;
use crate::commands::explain;
use crate::render::call_page::{clock, points};

/// Moments of each kind.
const SHOWN: usize = 3;
/// What an example needs around it to be understood.
const BEFORE_MS: i64 = 2_000;
const AFTER_MS: i64 = 3_000;

/// A moment worth telling, with the turn before it.
struct Snippet {
    rep: String,
    call_id: String,
    requirement: String,
    begin_ms: Option<i64>,
    /// What was said: role and words.
    lines: Vec<(String, String)>,
    /// A `data:` URL and its type.
    clip: Option<String>,
    span: Option<Span>,
    severity: Severity,
    /// The larger, the sooner.
    worth: i64,
}

/// Both forms of one digest.
pub struct Morning {
    pub html: String,
    pub markdown: String,
}

/// Makes the digest of the calls of `scope`; `scope.history` holds those of the weeks before as well, for what is missed often and for who
/// needs attention.
pub fn morning(store: &dyn Store, scope: &Scope, options: &Options) -> Result<Morning> {
    let reviews = digest::reviews(store)?;
    let found = digest::Digest::collect(store, scope, options.scorecards, &reviews)?;
    let context = Context {
        m: crate::render::messages::of(options.language),
        layout: Layout::Single,
        digest: &found,
        scorecards: options.scorecards,
        reviews: &reviews,
        plans: &[],
        failures: &scope.failures,
        journeys: scope.journeys,
        journey_items: scope.journey_items,
        indicators: None,
        models: BTreeMap::new(),
        starter: None,
        pages: BTreeSet::new(),
    };
    let history = match scope.history {
        History::Calls(history) => history,
        History::Report | History::Stored => &found.summaries,
    };
    let missed = missed_permille(history);
    let (mut best, mut misses) = (Vec::new(), Vec::new());
    for summary in &found.summaries {
        // Another process may have removed it meanwhile.
        let Some(stored) = store.get_call(&summary.call_id).map_err(explain)? else { continue };
        let record = stored.record;
        for row in record.evaluation.ledger.iter().filter(|row| row.kind == RowKind::Item) {
            // What is doubtful is nothing to show to a whole team.
            let sure = i64::from(row.confidence_permille);
            if is_finding(row) {
                misses.extend(Snippet::of(&context, &record, row, (row.possible - row.points) * sure));
            } else if row.result == Outcome::Met {
                let often = missed.get(row.requirement_id.as_str()).copied().unwrap_or(0);
                best.extend(Snippet::of(&context, &record, row, often * sure));
            }
        }
    }
    let (mut best, mut misses) = (choose(best), choose(misses));
    let clips = Clips::new(store, options.clips);
    for snippet in best.iter_mut().chain(&mut misses) {
        snippet.cut(store, &clips, options)?;
    }
    let first = talk_first(&context, history);
    let body = body(&context, &first, &best, &misses);
    let page = Page::Team;
    let title = title(&context);
    let section = frame::section(&context, &page, &[], &title, &body).into_string();
    let html = frame::document(&context, &page, &title, &section);
    Ok(Morning { html, markdown: markdown(&context, &first, &best, &misses) })
}

/// Requirement → of the calls to which it applied, how many missed it, per mille.
fn missed_permille(history: &[CallSummary]) -> BTreeMap<&str, i64> {
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (outcome, ids) in history.iter().flat_map(|call| &call.results) {
        for id in ids {
            let (n, missed) = counts.entry(id).or_default();
            *n += 1;
            *missed += i64::from(*outcome == Outcome::Missed);
        }
    }
    counts.into_iter().map(|(id, (n, missed))| (id, missed * 1000 / n.max(1))).collect()
}

/// The gravest and most instructive, one per requirement; a rep comes twice only when there is nobody else.
fn choose(mut all: Vec<Snippet>) -> Vec<Snippet> {
    let gravity = |snippet: &Snippet| u8::from(snippet.severity == Severity::Fatal);
    all.sort_by(|a, b| {
        (gravity(b), b.worth, &a.call_id, a.begin_ms).cmp(&(gravity(a), a.worth, &b.call_id, b.begin_ms))
    });
    let mut chosen: Vec<Snippet> = Vec::new();
    for again in [false, true] {
        let mut rest = Vec::new();
        for snippet in all {
            let told = chosen.iter().any(|other| other.requirement == snippet.requirement);
            let same_rep = chosen.iter().any(|other| other.rep == snippet.rep);
            if chosen.len() < SHOWN && !told && (again || !same_rep) {
                chosen.push(snippet);
            } else {
                rest.push(snippet);
            }
        }
        all = rest;
    }
    chosen
}

impl Snippet {
    /// `None` for a row without a place of its own: nothing could be read aloud.
    fn of(context: &Context, record: &CallRecord, row: &LedgerRow, worth: i64) -> Option<Snippet> {
        let turn = row.evidence.first()?.turn? as usize;
        let turns = &record.transcript.turns;
        let said = turns.get(turn).filter(|_| worth > 0)?;
        let timed = is_moment(row, &record.transcript);
        let line = |turn: &Turn| ((context.m.role)(turn.role).to_string(), turn.text.clone());
        let before = turn.checked_sub(1).and_then(|turn| turns.get(turn)).filter(|before| before.role != said.role);
        let rep = record.metadata.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty());
        Some(Snippet {
            rep: rep.unwrap_or(UNASSIGNED).to_string(),
            call_id: record.call_id.clone(),
            requirement: row.requirement_id.clone(),
            begin_ms: timed.then_some(row.begin_ms),
            lines: before.into_iter().chain([said]).map(line).collect(),
            clip: None,
            span: timed.then_some(Span { begin_ms: row.begin_ms - BEFORE_MS, end_ms: row.end_ms + AFTER_MS }),
            severity: row.severity,
            worth,
        })
    }

    fn cut(&mut self, store: &dyn Store, clips: &Clips, options: &Options) -> Result<()> {
        let Some(span) = self.span else { return Ok(()) };
        let Some(stored) = store.get_call(&self.call_id).map_err(explain)? else { return Ok(()) };
        // A recording that is gone costs the sound, not the digest: the words are there.
        if let Ok(Some(clip)) = clips.cut_span(&stored.record, span) {
            let encoded = base64::prelude::BASE64_STANDARD.encode(&clip.bytes);
            self.clip = Some(format!("data:{};base64,{encoded}", options.clips.media_type()));
        }
        Ok(())
    }

    fn place(&self, context: &Context) -> String {
        let at = self.begin_ms.map(clock).unwrap_or_default();
        let separator = if at.is_empty() { "" } else { " · " };
        format!("{} · {}{separator}{at}", context.rep_label(&self.rep), (context.m.call_name)(&self.call_id))
    }
}

/// Who needs attention by the weeks behind, the gravest first: rep, why, and what to begin with.
fn talk_first(context: &Context, history: &[CallSummary]) -> Vec<(RepRow, Vec<String>)> {
    let m = context.m;
    let mut rows: Vec<(RepRow, Vec<Attention>)> = performance::rep_period(history, PeriodKind::All)
        .into_iter()
        .filter(|row| row.rep_id != UNASSIGNED)
        .map(|row| (attention(&row, &AttentionLines::default()), row))
        .filter(|(reasons, _)| !reasons.is_empty())
        .map(|(reasons, row)| (row, reasons))
        .collect();
    rows.sort_by(|(a, x), (b, y)| (&x[0], a.high, &a.rep_id).cmp(&(&y[0], b.high, &b.rep_id)));
    rows.truncate(SHOWN);
    let sentence = |reason: &Attention| match reason {
        Attention::ConfirmedFatal { calls } => (m.attention_fatal)(*calls),
        Attention::BelowBand { high, line } => (m.attention_band)(&points(*high), &points(*line)),
        Attention::BelowTeam { high, line } => (m.attention_team)(&points(*high), &points(*line)),
    };
    rows.into_iter().map(|(row, reasons)| (row, reasons.iter().map(sentence).collect())).collect()
}

fn title(context: &Context) -> String {
    match context.digest.first {
        Some(date) => (context.m.morning_title)(&day(context.m, date)),
        None => context.m.morning_empty.to_string(),
    }
}

/// Yesterday's numbers in one line.
fn numbers(context: &Context) -> String {
    let (m, digest) = (context.m, context.digest);
    let mut parts = vec![
        (m.calls)(digest.calls.len() as u64),
        format!("{}: {}", m.n_scored, digest.n_scored()),
        format!("{}: {}", m.n_pending, digest.pending.len()),
        format!("{}: {}", m.n_unscored, digest.n_unscored()),
    ];
    if let Some(mean) = Mean::of(&digest.all.scores) {
        let interval = mean.interval.map_or_else(
            || m.one_call_no_interval.to_string(),
            |(low, high)| (m.interval_95)(&limited(low), &limited(high)),
        );
        parts.push(format!("{}: {} {interval}", m.mean_score, limited(mean.mean)));
    }
    parts.join(" · ")
}

fn body(context: &Context, first: &[(RepRow, Vec<String>)], best: &[Snippet], misses: &[Snippet]) -> Markup {
    let m = context.m;
    html! {
        h1 { (title(context)) }
        p.period { (numbers(context)) }
        section aria-label=(m.morning_first) {
            h2 { (m.morning_first) }
            p.note { (m.morning_first_note) }
            @if first.is_empty() { p { (m.morning_nobody) } } @else {
                ul.first { @for (row, reasons) in first { li {
                    b { bdi { (row.rep_id) } } " – " (reasons.join(" "))
                    @if let Some(point) = row.top3.first() {
                        " " (m.work_on) ": " (context.name(&point.requirement_id)) ". " (context.coach(&point.requirement_id))
                    }
                } } }
            }
        }
        (journeys::morning(context))
        (snippets(context, m.morning_best, m.morning_best_note, best, false))
        (snippets(context, m.morning_misses, m.morning_misses_note, misses, true))
    }
}

fn snippets(context: &Context, heading: &str, note: &str, snippets: &[Snippet], teach: bool) -> Markup {
    let m = context.m;
    html! {
        section aria-label=(heading) {
            h2 { (heading) }
            p.note { (note) }
            @if snippets.is_empty() { p { (m.morning_none) } }
            div.cards {
                @for snippet in snippets {
                    article.card {
                        h3 { (context.name(&snippet.requirement)) }
                        p.muted { bdi { (snippet.place(context)) } }
                        @for (role, text) in &snippet.lines { p { b { (role) ": " } bdi { (text) } } }
                        @if let Some(clip) = &snippet.clip { audio controls preload="none" src=(clip) aria-label=(snippet.place(context)) {} }
                        p { (context.why(&snippet.requirement)) }
                        @if teach { p { b { (m.morning_better) ": " } (context.coach(&snippet.requirement)) } }
                    }
                }
            }
        }
    }
}

fn markdown(context: &Context, first: &[(RepRow, Vec<String>)], best: &[Snippet], misses: &[Snippet]) -> String {
    let m = context.m;
    let mut text = format!("# {}\n\n{}\n\n## {}\n\n", title(context), plain(&numbers(context)), m.morning_first);
    if first.is_empty() {
        let _ = writeln!(text, "{}", m.morning_nobody);
    }
    for (row, reasons) in first {
        let _ = write!(text, "- **{}** – {}", plain(&row.rep_id), plain(&reasons.join(" ")));
        if let Some(point) = row.top3.first() {
            let (name, coach) = (context.name(&point.requirement_id), context.coach(&point.requirement_id));
            let _ = write!(text, " {}: {}. {}", m.work_on, plain(&name), plain(coach));
        }
        text.push('\n');
    }
    text += &journeys::morning_markdown(context);
    for (heading, snippets, teach) in [(m.morning_best, best, false), (m.morning_misses, misses, true)] {
        let _ = write!(text, "\n## {heading}\n\n");
        if snippets.is_empty() {
            let _ = writeln!(text, "{}", m.morning_none);
        }
        for (n, snippet) in snippets.iter().enumerate() {
            let name = context.name(&snippet.requirement);
            let _ = writeln!(text, "{}. **{}** – {}\n", n + 1, plain(&name), plain(&snippet.place(context)));
            for (role, said) in &snippet.lines {
                let _ = writeln!(text, "   > {role}: {}\n", plain(said));
            }
            let _ = writeln!(text, "   {}\n", plain(context.why(&snippet.requirement)));
            if teach {
                let _ = writeln!(text, "   {}: {}\n", m.morning_better, plain(context.coach(&snippet.requirement)));
            }
        }
    }
    text
}

/// What was said is no markup.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// Writes both files beside each other; their names carry the day.
pub fn write(folder: &std::path::Path, name: &str, morning: &Morning) -> Result<[std::path::PathBuf; 2]> {
    let paths = [folder.join(format!("{name}.html")), folder.join(format!("{name}.md"))];
    for (path, bytes) in paths.iter().zip([&morning.html, &morning.markdown]) {
        crate::render::outputs::write_whole(path, bytes.as_bytes())
            .with_context(|| format!("cannot write the digest {}", path.display()))?;
    }
    Ok(paths)
}
