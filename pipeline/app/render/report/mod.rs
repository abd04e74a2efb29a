//! The report: static pages team → rep → call → moment that open from disk and load nothing from elsewhere.
//!
//! Two passes over the calls: the first keeps summaries ([`digest`]), the second writes page by page, so that memory does not
//! grow with the number of calls. Small reports are one file; larger ones `report.html` and the folder `report/`.

mod call;
mod chart;
mod digest;
mod frame;
mod indicators;
mod journeys;
mod list;
pub mod morning;
mod rep;
mod site;
mod team;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use callmark_core::journey::ChecklistItem;
use callmark_core::performance::CallSummary;
use callmark_core::record::CallRecord;
use callmark_core::recording::Language;
use callmark_core::scorecard::Scorecard;
use callmark_core::transcript::{Medium, Span};
use callmark_models::manifest::{Manifest, STARTER};
use callmark_store::{FailureRow, Store};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::clips::{Clip, ClipKind, Clips, NoClips};
use crate::coaching_plans;
use crate::commands::explain;
use crate::journeys::Journeys;
use crate::read::metadata::reps::Rep;
use crate::render::indicators::Indicators;
use crate::render::messages;
use crate::render::outputs::write_whole;
use crate::run_summary::Failure;
use call::{PlayableClip, Sound};
use digest::Digest;
use frame::{Context, section};
pub use site::Layout;
use site::{List, OPPORTUNITIES_PER_PAGE, Page};

/// Up to here a report is one file.
const SINGLE_FILE_BYTES: u64 = 25 * 1024 * 1024;
/// A one-file report is parsed as a whole before anything shows: more HTML than this would take longer than 2 s.
const SINGLE_FILE_HTML_BYTES: u64 = 12 * 1024 * 1024;
/// What one clip weighs, about, as base64: 8 s of Opus, or of 16 kHz WAV.
const OPUS_CLIP_BYTES: u64 = 32 * 1024;
const WAV_CLIP_BYTES: u64 = 350 * 1024;
/// What an example needs around it to be understood.
const BEFORE_MS: i64 = 2_000;
const AFTER_MS: i64 = 3_000;
/// Pages of calls rendered at a time.
const BATCH: usize = 256;

/// A recording that could not be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRecording {
    pub file: String,
    pub stage: String,
    pub cause: String,
    pub hint: String,
}

impl From<FailureRow> for FailedRecording {
    fn from(row: FailureRow) -> FailedRecording {
        FailedRecording { file: row.file_name, stage: row.stage, cause: row.cause, hint: row.hint }
    }
}

impl From<&Failure> for FailedRecording {
    fn from(failure: &Failure) -> FailedRecording {
        let Failure { file, stage, cause, hint, known: _ } = failure.clone();
        FailedRecording { file, stage, cause, hint }
    }
}

/// What a report is about.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// Ids of the calls, in any order.
    pub calls: Vec<String>,
    pub failures: Vec<FailedRecording>,
    /// Only calls that started on or before this day.
    pub until: Option<Date>,
    /// For trends against earlier periods.
    pub history: History<'a>,
    /// Opportunities, once touchpoints were imported, …
    pub journeys: Option<&'a Journeys>,
    /// … and the checklist that they were judged by.
    pub journey_items: &'a [ChecklistItem],
    /// Once call logs or sales were imported.
    pub indicators: Option<&'a Indicators>,
    /// Who is who: for the groups that the site named.
    pub reps: &'a [Rep],
}

/// Which calls a report may look back at.
#[derive(Clone, Copy, Debug, Default)]
pub enum History<'a> {
    /// Those of the report alone.
    #[default]
    Report,
    /// These, among which are those of the report.
    Calls(&'a [CallSummary]),
    /// Everything stored, by the sums that the store keeps.
    Stored,
}

/// How a report is made.
pub struct Options<'a> {
    pub language: Language,
    pub clips: ClipKind,
    /// Where the texts of requirements come from.
    pub scorecards: &'a [Scorecard],
    /// `None`: one file as long as it stays small.
    pub layout: Option<Layout>,
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// `report.html`: where to start.
    pub start: PathBuf,
    pub pages: usize,
    pub bytes: u64,
}

/// Writes the report into a folder; pages of an earlier report there that are no longer part of it are removed.
pub fn write(folder: &Path, store: &dyn Store, scope: &Scope, options: &Options) -> Result<Written> {
    let reviews = digest::reviews(store)?;
    let digest = Digest::collect(store, scope, options.scorecards, &reviews)?;
    let clip_bytes = match options.clips {
        ClipKind::None => 0,
        ClipKind::Opus => digest.estimated_clips * OPUS_CLIP_BYTES,
        ClipKind::Wav => digest.estimated_clips * WAV_CLIP_BYTES,
    };
    let fits =
        digest.estimated_bytes <= SINGLE_FILE_HTML_BYTES && digest.estimated_bytes + clip_bytes <= SINGLE_FILE_BYTES;
    let by_size = if fits { Layout::Single } else { Layout::Folder };
    write_as(options.layout.unwrap_or(by_size), folder, store, scope, options, &digest, &reviews)
}

fn write_as(
    layout: Layout,
    folder: &Path,
    store: &dyn Store,
    scope: &Scope,
    options: &Options,
    digest: &Digest,
    reviews: &digest::Reviews,
) -> Result<Written> {
    let m = messages::of(options.language);
    let plans = coaching_plans::plans(store)?;
    let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
    let lists = list::all(digest);
    let mut pages: BTreeSet<Page> = BTreeSet::new();
    for (list, calls) in &lists {
        pages.extend((0..list::number_of_parts(calls.len())).map(|part| Page::List(list.clone(), part)));
    }
    for rep in &digest.reps {
        pages.extend((0..list::number_of_parts(rep.parts.calls.len())).map(|part| Page::Rep(rep.id.clone(), part)));
    }
    let opportunities = scope.journeys.map_or(0, |journeys| journeys.rows.len());
    pages.extend((0..opportunities.div_ceil(OPPORTUNITIES_PER_PAGE)).map(Page::Journeys));
    pages.extend(scope.indicators.map(|_| Page::Indicators));
    let context = Context {
        m,
        layout,
        journeys: scope.journeys,
        journey_items: scope.journey_items,
        indicators: scope.indicators,
        digest,
        scorecards: options.scorecards,
        reviews,
        plans: &plans,
        failures: &scope.failures,
        starter: manifest.models.iter().find(|model| model.name == STARTER).map(|model| model.sha256.clone()),
        models: manifest.models.iter().map(|model| (model.sha256.clone(), model.name.clone())).collect(),
        pages,
    };
    let writer = Writer { folder, store, clips: Clips::new(store, options.clips), kind: options.clips, context };
    writer.write(&lists)
}

struct Writer<'a> {
    folder: &'a Path,
    store: &'a dyn Store,
    clips: Clips<'a>,
    kind: ClipKind,
    context: Context<'a>,
}

/// A page ready to be written: its title and its section.
struct Rendered {
    page: Page,
    title: String,
    section: String,
    clips: Vec<Clip>,
}

impl Writer<'_> {
    fn write(&self, lists: &[(List, Vec<usize>)]) -> Result<Written> {
        let digest = self.context.digest;
        // In a one-file report the calls follow the pages that lead to them.
        let (mut single, mut single_calls) = (String::new(), String::new());
        let mut files = BTreeMap::new();
        let mut take = |rendered: Rendered| -> Result<()> {
            match self.context.layout {
                Layout::Single if matches!(rendered.page, Page::Call(_)) => single_calls.push_str(&rendered.section),
                Layout::Single => single.push_str(&rendered.section),
                Layout::Folder => {
                    let text = frame::document(&self.context, &rendered.page, &rendered.title, &rendered.section);
                    self.put(&mut files, &rendered.page.file(), text.as_bytes())?;
                    for clip in rendered.clips {
                        self.put(&mut files, &format!("report/clips/{}", clip.file_name), &clip.bytes)?;
                    }
                }
            }
            Ok(())
        };
        let points: Vec<Vec<rep::Point>> = (0..digest.reps.len())
            .map(|rep| rep::improvement_points(&self.context, rep, self.store))
            .collect::<Result<_>>()?;
        // Calls come first: reps' pages play their clips.
        let mut heard = rep::Heard::new(&self.context, &points);
        for batch in digest.summaries.chunks(BATCH) {
            let rendered: Vec<Result<Option<Rendered>>> =
                batch.par_iter().map(|summary| self.call(&summary.call_id, heard.examples(&summary.call_id))).collect();
            for rendered in rendered {
                if let Some(rendered) = rendered? {
                    heard.keep(&rendered.page, &rendered.clips);
                    take(rendered)?;
                }
            }
        }
        take(self.team())?;
        for (rep, points) in points.iter().enumerate() {
            for part in 0..list::number_of_parts(digest.reps[rep].parts.calls.len()) {
                take(self.rep(rep, part, points, &heard))?;
            }
        }
        for (list, calls) in lists {
            for part in 0..list::number_of_parts(calls.len()) {
                take(self.list(list, calls, part))?;
            }
        }
        for part in 0..journeys::number_of_parts(&self.context) {
            take(self.journeys(part))?;
        }
        if let Some(found) = self.context.indicators {
            let body = indicators::body(&self.context, found);
            take(self.rendered(Page::Indicators, self.context.m.indicators_title.to_string(), &self.trail(), &body))?;
        }
        match self.context.layout {
            Layout::Single => {
                single.push_str(&single_calls);
                let text = frame::document(&self.context, &Page::Team, self.context.m.report_title, &single);
                self.put(&mut files, "report.html", text.as_bytes())?;
            }
            Layout::Folder => {
                self.put(&mut files, "report/style.css", frame::STYLE.as_bytes())?;
                self.put(&mut files, "report/script.js", frame::SCRIPT.as_bytes())?;
            }
        }
        self.remove_others(&files)?;
        Ok(Written { start: self.folder.join("report.html"), pages: files.len(), bytes: files.values().sum() })
    }

    fn put(&self, files: &mut BTreeMap<String, u64>, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| {
                format!("cannot make {}\nhint: check free space and permissions of the output folder", folder.display())
            })?;
        }
        write_whole(&path, bytes)?;
        files.insert(name.to_string(), bytes.len() as u64);
        Ok(())
    }

    /// Removes pages and clips of earlier reports: a call that was forgotten must not stay readable here.
    fn remove_others(&self, files: &BTreeMap<String, u64>) -> Result<()> {
        for (part, endings) in [
            ("report", &["css", "js"][..]),
            ("report/calls", &["html"]),
            ("report/reps", &["html"]),
            ("report/lists", &["html"]),
            ("report/indicators", &["html"]),
            ("report/clips", &["opus", "ogg", "wav"]),
        ] {
            let Ok(entries) = std::fs::read_dir(self.folder.join(part)) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let ours = Path::new(&name).extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e));
                let kept = name.to_str().is_some_and(|name| files.contains_key(&format!("{part}/{name}")));
                if ours && !kept {
                    std::fs::remove_file(entry.path()).with_context(|| {
                        format!(
                            "cannot remove {} of an earlier report\nhint: remove it by hand",
                            entry.path().display()
                        )
                    })?;
                }
            }
        }
        Ok(())
    }

    fn rendered(&self, page: Page, title: String, trail: &[(String, Page)], body: &maud::Markup) -> Rendered {
        let section = section(&self.context, &page, trail, &title, body).into_string();
        Rendered { page, title, section, clips: Vec::new() }
    }

    fn trail(&self) -> Vec<(String, Page)> {
        vec![(self.context.m.team_page.to_string(), Page::Team)]
    }

    fn team(&self) -> Rendered {
        let title = self.context.m.report_title.to_string();
        self.rendered(Page::Team, title, &[], &team::body(&self.context))
    }

    fn rep(&self, rep: usize, part: usize, points: &[rep::Point], heard: &rep::Heard) -> Rendered {
        let id = &self.context.digest.reps[rep].id;
        let title = (self.context.m.rep_name)(self.context.rep_label(id));
        let body = rep::body(&self.context, rep, part, points, heard);
        self.rendered(Page::Rep(id.clone(), part), title, &self.trail(), &body)
    }

    fn list(&self, list: &List, calls: &[usize], part: usize) -> Rendered {
        let title = list::title(&self.context, list);
        let body = list::body(&self.context, list, calls, part);
        self.rendered(Page::List(list.clone(), part), title, &self.trail(), &body)
    }

    fn journeys(&self, part: usize) -> Rendered {
        let body = journeys::body(&self.context, part);
        self.rendered(Page::Journeys(part), self.context.m.journeys_title.to_string(), &self.trail(), &body)
    }

    /// `None` when another process removed the call meanwhile. `examples` are moments that reps' pages play besides the flags.
    fn call(&self, call_id: &str, examples: &[Span]) -> Result<Option<Rendered>> {
        let Some(stored) = self.store.get_call(call_id).map_err(explain)? else { return Ok(None) };
        let record = stored.record;
        let page = Page::Call(call_id.to_string());
        let (sound, clips) = self.sound(&page, &record, examples);
        let reviews = self.context.reviews.get(call_id).map_or(&[][..], Vec::as_slice);
        let body = call::body(&self.context, &record, reviews, &sound);
        let mut trail = self.trail();
        if let Some(rep) = record.metadata.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty()) {
            trail.push(((self.context.m.rep_name)(rep), Page::Rep(rep.to_string(), 0)));
        }
        let title = (self.context.m.call_name)(call_id);
        let mut rendered = self.rendered(page, title, &trail, &body);
        rendered.clips = clips;
        Ok(Some(rendered))
    }

    /// What the page plays, and the clips behind it.
    fn sound(&self, page: &Page, record: &CallRecord, examples: &[Span]) -> (Sound, Vec<Clip>) {
        let m = self.context.m;
        let clips = match self.cut(record, examples) {
            Ok(clips) => clips,
            Err(cause) => return (Sound::None((m.no_clips_because)(&cause)), Vec::new()),
        };
        if self.kind == ClipKind::None {
            return (Sound::None(m.no_clips.to_string()), clips);
        }
        let src = |clip: &Clip| match self.context.layout {
            Layout::Single => {
                let encoded = base64::prelude::BASE64_STANDARD.encode(&clip.bytes);
                format!("data:{};base64,{encoded}", self.kind.media_type())
            }
            Layout::Folder => self.context.layout.asset(page, &format!("clips/{}", clip.file_name)),
        };
        let playable = |clip: &Clip| PlayableClip {
            begin_ms: clip.begin_ms,
            end_ms: clip.end_ms,
            src: src(clip),
            peaks: clip.peaks.clone(),
        };
        (Sound::Clips(clips.iter().map(playable).collect()), clips)
    }

    /// The flagged moments of a call, and the examples in it that no flag covers, in order of time.
    fn cut(&self, record: &CallRecord, examples: &[Span]) -> Result<Vec<Clip>, NoClips> {
        if record.transcript.medium == Medium::Text {
            return Err(NoClips::Text);
        }
        let mut clips = self.clips.cut(record)?;
        for span in examples {
            if !clips.iter().any(|clip| clip.begin_ms <= span.begin_ms && span.end_ms <= clip.end_ms) {
                let around = Span { begin_ms: span.begin_ms - BEFORE_MS, end_ms: span.end_ms + AFTER_MS };
                clips.extend(self.clips.cut_span(record, around)?);
            }
        }
        clips.sort_by_key(|clip| (clip.begin_ms, clip.end_ms));
        Ok(clips)
    }
}
