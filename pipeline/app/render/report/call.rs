//! The page of one call: facts, score, strip, transcript, ledger, player. Every row leads to its moment.

use callmark_audio::peaks::Peak;
use callmark_core::record::{CallRecord, LedgerRow, MatchType, Outcome, Review, RowKind, Severity, Status};
use callmark_core::transcript::{Medium, Role, Turn};
use callmark_core::warning::Warning;
use maud::{Markup, html};

use crate::render::call_page::{clock, points};
use crate::render::messages::Messages;
use crate::render::report::chart::{self, Block, Pin, Stretch, Strip};
use crate::render::report::digest::{Mean, civil, is_finding, is_moment, metric_of};
use crate::render::report::frame::{self, Context, share, signed_points};
use crate::render::report::site::{List, Page};

/// Words below this are underlined. Engineering guess.
const UNSURE_PERMILLE: u16 = 500;
/// Places of one ledger row that are shown.
const PLACES: usize = 3;

/// An audio clip as a page plays it.
pub struct PlayableClip {
    pub begin_ms: i64,
    pub end_ms: i64,
    /// A path relative to the page, or a `data:` URI.
    pub src: String,
    pub peaks: Vec<Peak>,
}

/// What a call's page plays: clips, or the reason why there are none.
pub enum Sound {
    Clips(Vec<PlayableClip>),
    None(String),
}

impl Sound {
    fn clips(&self) -> &[PlayableClip] {
        match self {
            Sound::Clips(clips) => clips,
            Sound::None(_) => &[],
        }
    }

    fn covers(&self, ms: i64) -> bool {
        self.clips().iter().any(|clip| clip.begin_ms <= ms && ms < clip.end_ms)
    }
}

/// A finding of the call in order of time.
struct Flag<'a> {
    number: usize,
    row: usize,
    ledger: &'a LedgerRow,
}

struct CallPage<'a> {
    context: &'a Context<'a>,
    page: Page,
    record: &'a CallRecord,
    reviews: &'a [Review],
    sound: &'a Sound,
    flags: Vec<Flag<'a>>,
}

/// The body of a call's page.
pub fn body(context: &Context, record: &CallRecord, reviews: &[Review], sound: &Sound) -> Markup {
    let waits = |row: &LedgerRow| record.evaluation.pending.contains(&row.requirement_id);
    let mut flags: Vec<(usize, &LedgerRow)> = record
        .evaluation
        .ledger
        .iter()
        .enumerate()
        .filter(|(_, row)| row.kind == RowKind::Item && (is_finding(row) || waits(row)))
        .collect();
    // Numbered along the strip; what has no moment of its own comes after.
    flags.sort_by_key(|(index, row)| (!is_moment(row, &record.transcript), row.begin_ms, *index));
    let flags = flags.into_iter().enumerate().map(|(i, (row, ledger))| Flag { number: i + 1, row, ledger }).collect();
    let page = Page::Call(record.call_id.clone());
    CallPage { context, page, record, reviews, sound, flags }.body()
}

impl CallPage<'_> {
    fn body(&self) -> Markup {
        let m = self.context.m;
        let (record, evaluation) = (self.record, &self.record.evaluation);
        html! {
            (self.head())
            @if evaluation.status == Status::Unscored {
                @if let Some(reason) = evaluation.reason {
                    p.notice { ((m.reason)(reason)) " – " ((m.remedy)(reason)) }
                }
            }
            @if !evaluation.pending.is_empty() {
                p.notice {
                    ((m.waits_for)(&evaluation.pending.iter().map(|id| self.context.name(id)).collect::<Vec<_>>().join(if m.tag == "en" { ", " } else { "、" })))
                }
            }
            @if record.transcript.medium == Medium::Speech && record.transcript.duration_ms > 0 { (self.strip()) }
            div.columns {
                (self.transcript())
                div.side {
                    @if !evaluation.dimensions.is_empty() { (self.dimensions()) }
                    (self.ledger())
                    (self.remarks())
                }
            }
            (self.player())
            (self.provenance())
        }
    }

    fn head(&self) -> Markup {
        let m = self.context.m;
        let (record, evaluation, transcript) = (self.record, &self.record.evaluation, &self.record.transcript);
        let about = &record.metadata;
        let rep = about.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty());
        let permille = |value: u16| format!("{:.2}", f64::from(value) / 1000.0);
        let recogniser = match transcript.recogniser_confidence_permille {
            Some(confidence) => {
                let hash = record.provenance.models.get("recogniser").map_or("", String::as_str);
                (m.recogniser)(self.context.model_name(hash), &permille(confidence))
            }
            None => m.recogniser_text.to_string(),
        };
        html! {
            header.call-head {
                div {
                    h1 { bdi { ((m.call_name)(&record.call_id)) } }
                    ul.facts {
                        li { @match rep {
                            Some(rep) => a href=(self.context.href(&self.page, &Page::Rep(rep.to_string(), 0), None)) { bdi { ((m.rep_name)(rep)) } },
                            None => (m.no_rep),
                        } }
                        @if let Some(team) = &about.team { li { bdi { (team) } } }
                        li { (frame::when(m, civil(about.start_ts.as_deref()), about.tz.as_deref())) }
                        @if transcript.medium == Medium::Speech { li { (clock(transcript.duration_ms)) } }
                        @if let Some(direction) = about.direction { li { ((m.direction)(direction)) } }
                        @for text in [&about.call_type, &about.campaign].into_iter().flatten() { li { bdi { (text) } } }
                        @if !evaluation.scorecard.is_empty() { li { ((m.scorecard)(&evaluation.scorecard, evaluation.scorecard_version)) } }
                        li { ((m.roles_by)((m.role_method)(transcript.role_method), &permille(transcript.role_confidence_permille))) }
                        li { (recogniser) }
                    }
                }
                div.score-box {
                    strong.score { (evaluation.score.map_or("–".to_string(), points)) }
                    (frame::verdict(m, evaluation.status, evaluation.verdict, evaluation.fatal_count > 0))
                    @if let (Some(low), Some(high)) = (evaluation.score_low, evaluation.score_high) {
                        @if low != high { small { ((m.score_range)(&points(low), &points(high))) } }
                    }
                }
            }
        }
    }

    fn place(&self, ms: i64) -> f64 {
        ms as f64 / self.record.transcript.duration_ms.max(1) as f64
    }

    fn sentiment(&self, turn: usize) -> Option<i64> {
        self.record.sentiment.get(turn).copied().flatten().map(|sentiment| sentiment.milli())
    }

    /// Words (characters in Chinese) per minute of a turn that is long enough to have a pace.
    fn pace(&self, turn: &Turn) -> Option<f64> {
        let ms = turn.end_ms - turn.begin_ms;
        let units = if self.is_chinese() {
            turn.text.chars().filter(|c| callmark_core::recording::is_han(*c)).count()
        } else {
            turn.text.split_whitespace().count()
        };
        (ms >= 1_500 && units >= 4).then(|| units as f64 * 60_000.0 / ms as f64)
    }

    fn is_chinese(&self) -> bool {
        self.record.transcript.language == Some(callmark_core::recording::Language::Zh)
    }

    fn block(&self, index: usize, turn: &Turn) -> Block {
        let m = self.context.m;
        let sentiment = self.sentiment(index);
        let pace = self.pace(turn);
        // 60–300 units a minute fill the lane.
        let height = pace.map(|pace| ((pace - 60.0) / 240.0).clamp(0.0, 1.0));
        let mut more = String::new();
        if let Some(milli) = sentiment {
            more.push_str(&(m.sentiment_of)(&signed(milli)));
        }
        if let Some(pace) = pace {
            let shown = format!("{pace:.0}");
            let unit = if self.is_chinese() { m.characters_per_minute } else { m.words_per_minute };
            more.push_str(&(m.pace_of)(&unit(&shown)));
        }
        Block {
            begin: self.place(turn.begin_ms),
            end: self.place(turn.end_ms),
            href: self.context.here(&self.page, &format!("turn-{index}")),
            sentiment: sentiment.map_or("s-none", sentiment_class),
            label: (m.turn_label)(&clock(turn.begin_ms), (m.role)(turn.role), &more),
            pace: height,
        }
    }

    fn strip(&self) -> Markup {
        let m = self.context.m;
        let (transcript, signals) = (&self.record.transcript, &self.record.signals);
        let lane = |customer: bool| {
            let turns = transcript.turns.iter().enumerate();
            turns.filter(|(_, t)| (t.role == Role::Customer) == customer).map(|(i, t)| self.block(i, t)).collect()
        };
        let silences = signals.silences.iter().map(|s| {
            let length = (m.seconds)(&tenths(s.end_ms - s.begin_ms));
            Stretch {
                begin: self.place(s.begin_ms),
                end: self.place(s.end_ms),
                class: if s.explained { "silence explained" } else { "silence" },
                label: if s.explained { (m.silence_explained_of)(&length) } else { (m.silence_of)(&length) },
            }
        });
        let overlaps = signals.overlaps.iter().map(|o| Stretch {
            begin: self.place(o.begin_ms),
            end: self.place(o.end_ms),
            class: if o.interruption { "overlap interruption" } else { "overlap" },
            label: (m.overtalk_of)((m.role)(o.by), &(m.seconds)(&tenths(o.end_ms - o.begin_ms))),
        });
        let pins = self.flags.iter().filter(|flag| is_moment(flag.ledger, transcript)).map(|flag| Pin {
            at: self.place(flag.ledger.begin_ms),
            href: self.context.here(&self.page, &format!("row-{}", flag.row)),
            text: flag.number.to_string(),
            label: (m.turn_label)(&clock(flag.ledger.begin_ms), &self.context.name(&flag.ledger.requirement_id), ""),
            class: self.gravity(flag.ledger),
        });
        let description =
            (m.strip_what)(transcript.turns.len() as u64, self.flags.len() as u64, signals.silences.len() as u64);
        let id = self.context.layout.element(&self.page, "strip");
        let strip = Strip {
            id: &id,
            title: m.strip_heading,
            description: &description,
            rep: lane(false),
            customer: lane(true),
            silences: silences.collect(),
            overlaps: overlaps.collect(),
            pins: pins.collect(),
            ticks: ticks(transcript.duration_ms),
        };
        let length = match transcript.duration_ms {
            ..=600_000 => "short",
            600_001..=2_400_000 => "long",
            _ => "very-long",
        };
        html! {
            figure.strip-figure id=(id) data-duration=(transcript.duration_ms) {
                h2 { (m.strip_heading) }
                div.strip-row {
                    (strip.labels((m.role)(Role::Rep), (m.role)(Role::Customer)))
                    div.strip-scroll.(length) tabindex="0" role="region" aria-label=(m.strip_heading) { (strip.draw()) }
                }
                figcaption {
                    ul.legend {
                        li { (m.flags_lane) " ①②③" }
                        @for (class, text) in [
                            ("s-negative", m.strip_legend_negative), ("s-neutral", m.strip_legend_neutral),
                            ("s-positive", m.strip_legend_positive), ("s-none", m.strip_legend_none),
                            ("k-pace", m.strip_legend_pace), ("k-overlap", m.strip_legend_overtalk),
                            ("k-silence", m.strip_legend_silence), ("k-explained", m.strip_legend_explained),
                        ] {
                            li { i.key.(class) {} (text) }
                        }
                    }
                }
            }
        }
    }

    /// Class of a flag: red is for a confirmed fatal alone.
    fn gravity(&self, row: &LedgerRow) -> &'static str {
        let evaluation = &self.record.evaluation;
        let waits = evaluation.pending.contains(&row.requirement_id);
        let confirmed = row.severity == Severity::Fatal
            && !waits
            && evaluation.fatal_count > 0
            && evaluation.ledger.iter().any(|r| r.kind == RowKind::Cap && r.requirement_id == row.requirement_id);
        match () {
            () if confirmed => "confirmed",
            () if waits => "waits",
            () => "open",
        }
    }

    fn transcript(&self) -> Markup {
        let m = self.context.m;
        let transcript = &self.record.transcript;
        let timed = transcript.medium == Medium::Speech;
        let language = transcript.language.map(|language| language.code());
        html! {
            section.transcript aria-label=(m.transcript_heading) {
                h2 { (m.transcript_heading) }
                @if transcript.turns.is_empty() && transcript.other_turns.is_empty() { p.muted { (m.no_words) } } @else {
                    @if timed { p.note { (m.transcript_note) } }
                    ol.turns lang=[language] {
                        @for (index, turn) in transcript.everybody() { (self.turn(index, turn, timed)) }
                    }
                }
            }
        }
    }

    fn turn(&self, index: usize, turn: &Turn, timed: bool) -> Markup {
        let m = self.context.m;
        let role = turn.role.name();
        let here = |flag: &&Flag| flag.ledger.evidence.iter().any(|e| e.turn == u32::try_from(index).ok());
        let sentiment = self.sentiment(index).map_or("s-none", sentiment_class);
        html! {
            li.turn.(role) id=(self.context.layout.element(&self.page, &format!("turn-{index}"))) data-begin=[timed.then_some(turn.begin_ms)] data-end=[timed.then_some(turn.end_ms)] tabindex="-1" {
                @if timed { button.at type="button" aria-label=((m.go_to)(&clock(turn.begin_ms))) { (clock(turn.begin_ms)) } }
                span.role lang=(m.tag) { i.key.(sentiment) {} ((m.role)(turn.role)) }
                p.said dir="auto" { (words(m, turn)) }
                @for flag in self.flags.iter().filter(here) {
                    a.flag.(self.gravity(flag.ledger)) lang=(m.tag) href=(self.context.here(&self.page, &format!("row-{}", flag.row))) {
                        b { (flag.number) } (self.context.name(&flag.ledger.requirement_id))
                    }
                }
            }
        }
    }

    fn dimensions(&self) -> Markup {
        let m = self.context.m;
        html! {
            section aria-label=(m.dimensions_heading) {
                h2 { (m.dimensions_heading) }
                table.plain {
                    thead { tr { th scope="col" { (m.dimension_name) } th.chart scope="col" { span.hidden-text { (m.score) } (chart::axis()) } th.n scope="col" { "%" } } }
                    tbody {
                        @for dimension in &self.record.evaluation.dimensions {
                            @let value = dimension.share_permille.map(|share| Mean { n: 1, mean: f64::from(share), interval: None });
                            tr {
                                th scope="row" { (self.context.dimension(&dimension.dimension)) }
                                td.chart { @if let Some(value) = &value { (chart::interval(value, None, 1000.0, &self.context.dimension(&dimension.dimension))) } }
                                td.n { (dimension.share_permille.map_or("–".to_string(), |share_permille| share(f64::from(share_permille)))) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn ledger(&self) -> Markup {
        let m = self.context.m;
        let evaluation = &self.record.evaluation;
        let mut rows: Vec<(usize, &LedgerRow)> = evaluation.ledger.iter().enumerate().collect();
        // Findings first; otherwise the order of the scorecard.
        rows.sort_by_key(|(index, _)| !self.flags.iter().any(|flag| flag.row == *index));
        let quiet = rows.iter().filter(|(_, row)| is_quiet(row)).count() as u64;
        let named = |row: &LedgerRow| {
            row.kind == RowKind::Item && evaluation.dimensions.iter().any(|d| d.dimension == row.dimension)
        };
        let rest: Vec<_> = rows.iter().filter(|(_, row)| !named(row)).collect();
        let sum: i64 = evaluation.ledger.iter().map(|row| row.points).sum();
        html! {
            section.ledger aria-label=(m.ledger_heading) {
                h2 { (m.ledger_heading) }
                @if evaluation.ledger.is_empty() { p.muted { (m.ledger_empty) } } @else {
                    p.note { (m.ledger_note) " " @if quiet > 0 {
                        label.toggle { input.show-quiet type="checkbox"; ((m.show_all_rows)(quiet)) }
                    } }
                    table.plain {
                        thead { tr {
                            th scope="col" { (m.requirement) }
                            th.n scope="col" { (m.points) }
                            th.n scope="col" { (m.of_possible) }
                            @if self.record.transcript.medium == Medium::Speech { th scope="col" { (m.moment) } }
                        } }
                        @for dimension in &evaluation.dimensions {
                            tbody {
                                tr.sum {
                                    th scope="rowgroup" { (self.context.dimension(&dimension.dimension)) }
                                    td.n { (signed_points(dimension.points + dimension.deductions)) }
                                    td.n { (points(dimension.possible)) }
                                    @if self.record.transcript.medium == Medium::Speech { td {} }
                                }
                                @for (index, row) in rows.iter().filter(|(_, row)| named(row) && row.dimension == dimension.dimension) { (self.row(*index, row)) }
                            }
                        }
                        @if !rest.is_empty() {
                            tbody {
                                tr.sum { th scope="rowgroup" { (m.overall) } td {} td {} @if self.record.transcript.medium == Medium::Speech { td {} } }
                                @for (index, row) in rest { (self.row(*index, row)) }
                            }
                        }
                        tfoot { tr.sum { th scope="row" { (m.sum_of_rows) } td.n { (points(sum)) } td {} @if self.record.transcript.medium == Medium::Speech { td {} } } }
                    }
                }
            }
        }
    }

    fn row(&self, index: usize, row: &LedgerRow) -> Markup {
        let m = self.context.m;
        let name = self.context.name(&row.requirement_id);
        let (mark, class) = outcome_mark(row);
        let flag = self.flags.iter().find(|flag| flag.row == index);
        let timed = self.record.transcript.medium == Medium::Speech;
        let moment = is_moment(row, &self.record.transcript);
        let classes = format!("row {class}{}", if is_quiet(row) { " quiet" } else { "" });
        let title = match row.kind {
            RowKind::Item => name,
            RowKind::Limit => m.row_limit.to_string(),
            RowKind::Cap => (m.row_cap)(&name),
            RowKind::Review => (m.row_review)(&name),
        };
        html! {
            tr class=(classes) id=(self.context.layout.element(&self.page, &format!("row-{index}"))) tabindex="-1" data-begin=[moment.then_some(row.begin_ms)] data-end=[moment.then_some(row.end_ms)] data-flag=[flag.map(|flag| flag.number)] {
                td {
                    @if row.kind == RowKind::Item {
                        span.outcome { @if let Some(flag) = flag { b.number.(self.gravity(row)) { (flag.number) } } i aria-hidden="true" { (mark) } " " ((m.outcome)(row.result)) @if row.severity != Severity::Minor { " · " ((m.severity)(row.severity)) } }
                    }
                    (self.requirement_link(row, &title))
                    (self.evidence(row))
                }
                td.n { (if row.result == Outcome::NotApplicable { "–".to_string() } else { signed_points(row.points) }) }
                td.n { (if row.possible == 0 { "–".to_string() } else { points(row.possible) }) }
                @if timed { td.places { (self.places(row, moment)) } }
            }
        }
    }

    fn requirement_link(&self, row: &LedgerRow, title: &str) -> Markup {
        let list = Page::List(List::Requirement(row.requirement_id.clone()), 0);
        html! {
            @if row.kind == RowKind::Item && self.context.has(&list) {
                a.name href=(self.context.href(&self.page, &list, None)) title=(self.context.what(&row.requirement_id)) { (title) }
            } @else {
                span.name title=(self.context.what(&row.requirement_id)) { (title) }
            }
        }
    }

    /// What the row stands on: a quote, a measured value, or the window that was searched.
    fn evidence(&self, row: &LedgerRow) -> Markup {
        let m = self.context.m;
        let searched = row.match_type == MatchType::Window && row.end_ms > row.begin_ms;
        let speech = self.record.transcript.medium == Medium::Speech;
        html! {
            @if let Some(value) = row.metric_value { small { ((m.measured)(&self.context.metric_value(&row.requirement_id, value, self.is_chinese()))) } }
            @if !row.quote.is_empty() {
                q dir="auto" lang=[self.record.transcript.language.map(|l| l.code())] { (row.quote) }
                @if row.match_type == MatchType::ModelAct { small { (m.act_by_model) } }
                @if row.confidence_permille < 1000 { small { ((m.confidence)(&format!("{:.2}", f64::from(row.confidence_permille) / 1000.0))) } }
            }
            @if searched && speech && matches!(row.result, Outcome::Missed | Outcome::Unknown) && metric_of(&row.requirement_id).is_none() {
                small { ((m.searched)(&clock(row.begin_ms), &clock(row.end_ms))) }
            }
        }
    }

    /// The times of a row's evidence, and a button to hear it where a clip holds it. A window that was searched has no
    /// moment, but a short one can be heard.
    fn places(&self, row: &LedgerRow, moment: bool) -> Markup {
        let m = self.context.m;
        let mut times: Vec<(i64, i64)> = row.evidence.iter().map(|e| (e.begin_ms, e.end_ms)).collect();
        times.dedup_by_key(|(begin, _)| *begin / 1000);
        times.truncate(if moment { PLACES } else { 0 });
        html! {
            @for (begin, end) in times {
                button.at type="button" data-begin=(begin) data-end=(end) aria-label=((m.go_to)(&clock(begin))) { (clock(begin)) }
            }
            @if (moment || is_finding(row)) && self.sound.covers(row.begin_ms) {
                button.play type="button" data-begin=(row.begin_ms) data-end=(row.end_ms) aria-label=((m.play_from)(&clock(row.begin_ms))) { "▶" }
            }
        }
    }

    fn remarks(&self) -> Markup {
        let m = self.context.m;
        let transcript = &self.record.transcript;
        html! {
            @if !self.reviews.is_empty() {
                section aria-label=(m.reviews_heading) {
                    h2 { (m.reviews_heading) }
                    ul { @for review in self.reviews {
                        li {
                            ((m.review_line)(&review.reviewer, (m.decision)(review.decision), &self.context.name(&review.requirement_id)))
                            @if !review.reason.is_empty() { " " q dir="auto" { (review.reason) } }
                            " " small { (review.ts) }
                        }
                    } }
                }
            }
            @if !transcript.warnings.is_empty() || !transcript.dropped.is_empty() {
                section aria-label=(m.notes_heading) {
                    h2 { (m.notes_heading) }
                    ul {
                        @for warning in &transcript.warnings {
                            @match shown(m, warning) {
                                Some(text) => li { (text) },
                                None => li lang="en" { (warning) },
                            }
                        }
                        @for (guard, n) in &transcript.dropped {
                            li { ((m.dropped_line)((m.dropped)(guard).unwrap_or(guard), u64::from(*n))) }
                        }
                    }
                }
            }
        }
    }

    fn player(&self) -> Markup {
        let m = self.context.m;
        let clips = self.sound.clips();
        let reason = match self.sound {
            Sound::None(reason) => Some(reason),
            Sound::Clips(_) => None,
        };
        html! {
            div.player role="region" aria-label=(m.player) data-playing=(m.pause) data-paused=(m.play) data-no-clip=(m.no_clip_here) {
                button.toggle-play type="button" disabled[clips.is_empty()] aria-label=(m.play) { "▶" }
                output.time { "00:00" }
                button.previous type="button" title=(m.previous_flag) { "↑ " kbd { "k" } span.hidden-text { " " (m.previous_flag) } }
                button.next type="button" title=(m.next_flag) { "↓ " kbd { "j" } span.hidden-text { " " (m.next_flag) } }
                span.now aria-live="polite" {}
                @for clip in clips {
                    span.clip hidden data-begin=(clip.begin_ms) data-end=(clip.end_ms) data-label=((m.clip_range)(&clock(clip.begin_ms), &clock(clip.end_ms))) {
                        (waveform(m.waveform, &clip.peaks))
                        audio preload="none" src=(clip.src) {}
                    }
                }
                @if let Some(reason) = reason { span.muted { (reason) } }
                button.show-keys type="button" aria-label=(m.keys) title=(m.keys) { "?" }
            }
        }
    }

    fn provenance(&self) -> Markup {
        let m = self.context.m;
        let from = &self.record.provenance;
        html! {
            details.provenance {
                summary { (m.provenance_heading) }
                dl {
                    dt { (m.program) } dd { "callmark " (from.program_version) }
                    dt { (m.recordings) } @for audio in &from.audio { dd { code { (audio) } } }
                    @for (role, hash) in &from.models { dt { (role) } dd { (self.context.model_name(hash)) " " code { (hash) } } }
                    @if !from.scorecard.is_empty() { dt { ((m.scorecard)(&self.record.evaluation.scorecard, self.record.evaluation.scorecard_version)) } dd { code { (from.scorecard) } } }
                }
            }
        }
    }
}

/// Clear and not applicable rows: nothing to look at, folded at first.
fn is_quiet(row: &LedgerRow) -> bool {
    row.kind == RowKind::Item && matches!(row.result, Outcome::Clear | Outcome::NotApplicable)
}

/// A warning in the report's language; `None`: not one that this version knows.
fn shown(m: &Messages, text: &str) -> Option<String> {
    let (warning, values) = Warning::read(text)?;
    match (warning, values.as_slice()) {
        // The value is a warning itself.
        (Warning::FirstSide | Warning::SecondSide, [inner]) => {
            let inner = shown(m, inner);
            Some((m.warning)(warning, &[inner.as_deref().unwrap_or(values[0])]))
        }
        (_, values) => Some((m.warning)(warning, values)),
    }
}

/// Shape and class of a result; never colour alone.
fn outcome_mark(row: &LedgerRow) -> (&'static str, &'static str) {
    match row.result {
        Outcome::Met => ("✓", "met"),
        Outcome::Clear => ("✓", "clear"),
        Outcome::Missed => ("○", "missed"),
        Outcome::Violated => ("▲", "violated"),
        Outcome::NotApplicable => ("–", "not-applicable"),
        Outcome::Unknown => ("?", "unknown"),
    }
}

/// A turn's words with the unsure ones underlined; the text itself where word times are missing.
fn words(m: &Messages, turn: &Turn) -> Markup {
    let unsure = |permille: u16| permille < UNSURE_PERMILLE;
    if !turn.words.iter().any(|word| unsure(word.confidence_permille)) {
        return html! { (turn.text) };
    }
    let (mut cursor, mut plain) = (0, 0);
    let mut parts: Vec<(&str, Option<u16>)> = Vec::new();
    for word in &turn.words {
        let text = word.text.trim();
        // Words come in the order of the text; one that is not found there (normalised spelling) stays plain.
        let Some(at) = turn.text[cursor..].find(text).filter(|_| !text.is_empty()) else { continue };
        let begin = cursor + at;
        cursor = begin + text.len();
        if unsure(word.confidence_permille) {
            parts.push((&turn.text[plain..begin], None));
            parts.push((&turn.text[begin..cursor], Some(word.confidence_permille)));
            plain = cursor;
        }
    }
    parts.push((&turn.text[plain..], None));
    html! {
        @for (text, confidence) in parts {
            @if let Some(confidence) = confidence {
                u title=((m.word_confidence)(&format!("{:.2}", f64::from(confidence) / 1000.0))) { (text) }
            } @else { (text) }
        }
    }
}

fn waveform(label: &str, peaks: &[Peak]) -> Markup {
    let mut path = String::new();
    for (i, peak) in peaks.iter().enumerate() {
        // Telephone speech rarely comes near full scale: twice the height, cut at the edges.
        let y = |value: i8| (12.0 - f64::from(value) / 127.0 * 24.0).clamp(0.0, 24.0);
        path.push_str(&format!("M{i} {:.1}V{:.1}", y(peak.max) - 0.4, y(peak.min) + 0.4));
    }
    html! {
        svg.waveform role="img" aria-label=(label) viewBox=(format!("0 0 {} 24", peaks.len().max(1))) preserveAspectRatio="none" { path d=(path) {} }
    }
}

fn sentiment_class(milli: i64) -> &'static str {
    match milli {
        ..=-2500 => "s-negative",
        -2499..=-800 => "s-rather-negative",
        -799..=799 => "s-neutral",
        800..=2499 => "s-rather-positive",
        _ => "s-positive",
    }
}

fn signed(milli: i64) -> String {
    let tenths = (milli.abs() + 50) / 100;
    let sign = match () {
        () if tenths == 0 => "",
        () if milli < 0 => "−",
        () => "+",
    };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

fn tenths(ms: i64) -> String {
    format!("{:.1}", ms as f64 / 1000.0)
}

/// Whole steps of time, about ten in all.
fn ticks(duration_ms: i64) -> Vec<(f64, String)> {
    let steps = [10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000];
    let step = steps.into_iter().find(|step| duration_ms / step <= 12).unwrap_or(3_600_000);
    let places = (0..=duration_ms / step).map(|i| i * step);
    places.take(200).map(|ms| (ms as f64 / duration_ms.max(1) as f64, clock(ms))).collect()
}

#[cfg(test)]
mod tests {
    use callmark_core::transcript::Word;

    use super::*;
    use crate::render::messages;

    #[test]
    fn unsure_words_are_underlined_where_they_stand() {
        let word =
            |text: &str, confidence_permille| Word { text: text.into(), begin_ms: 0, end_ms: 1, confidence_permille };
        let turn = Turn {
            role: Role::Rep,
            begin_ms: 0,
            end_ms: 1,
            text: "the <b> the fee".into(),
            words: vec![word("the", 900), word("<b>", 300), word("the", 200), word("fee", 990)],
            confidence_permille: 800,
        };
        let shown = words(messages::of(callmark_core::recording::Language::En), &turn).into_string();
        assert_eq!(shown, "the <u title=\"confidence 0.30\">&lt;b&gt;</u> <u title=\"confidence 0.20\">the</u> fee");
    }

    #[test]
    fn the_axis_of_a_long_call_stays_readable() {
        for minutes in [0, 1, 3, 40, 120, 600] {
            assert!(ticks(minutes * 60_000).len() <= 14, "{minutes}");
        }
        assert_eq!(ticks(7_200_000)[1].1, "10:00");
    }
}
