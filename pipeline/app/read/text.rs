//! Interactions that are text already: WebVTT, SRT, Contact Lens and Whisper JSON, plain `Rep: …` lines → [`Transcript`].
//!
//! Everything is parsed as hostile input: sizes, counts and times are limited, and errors name lines, never words.

use std::collections::BTreeMap;

use callmark_core::recording::{Language, is_han};
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Transcript, Turn, Word};
use callmark_core::warning::Warning;
use fasrt::{srt, vtt};
use serde_json::Value;

/// Largest file that is read; an hour of talk is well under 1 MB of text and under 10 MB of JSON with word times. Read JSON takes
/// up to sixteen times its size in memory.
pub const MAX_BYTES: usize = 32 << 20;
/// Most turns of one interaction.
pub const MAX_TURNS: usize = 10_000;
/// Longest text of one turn: more than an hour without a word from the other side.
pub const MAX_TURN_CHARACTERS: usize = 100_000;
/// Latest time in a transcript: a day.
pub const MAX_MS: i64 = 24 * 3_600_000;

/// Longest speaker label before a colon, in characters.
const MAX_LABEL: usize = 24;

/// Why a transcript could not be read. `line` counts from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("the transcript is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    #[error("the transcript has more than {MAX_TURNS} turns (line {line})")]
    TooManyTurns { line: usize },
    #[error("a turn of the transcript has more than {MAX_TURN_CHARACTERS} characters (line {line})")]
    TurnTooLong { line: usize },
    #[error("the transcript is not UTF-8 (line {line})")]
    NotUtf8 { line: usize },
    #[error("{format}, line {line}: {what}")]
    Malformed { format: &'static str, line: usize, what: String },
    #[error("the {format} transcript has no turns")]
    Empty { format: &'static str },
}

impl ReadError {
    /// One sentence that says what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            ReadError::TooLarge | ReadError::TooManyTurns { .. } => "give each call a file of its own",
            ReadError::TurnTooLong { .. } => "export the transcript with a line for each turn",
            ReadError::NotUtf8 { .. } => "save the file as UTF-8",
            ReadError::Malformed { .. } => "correct the line or export the transcript again",
            ReadError::Empty { .. } => {
                "check that the export finished; a call in which nobody spoke needs no transcript"
            }
        }
    }
}

/// File names with these endings are text, whatever they hold.
const TEXT_NAMES: &[&str] = &["vtt", "srt", "json", "txt"];

fn extension(file_name: &str) -> String {
    file_name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default()
}

/// False when a file of this name that begins so cannot be text: then it need not be read as a whole.
pub fn may_be_text(head: &[u8], file_name: &str) -> bool {
    let cut_character = |e: std::str::Utf8Error| e.error_len().is_none();
    TEXT_NAMES.contains(&extension(file_name).as_str())
        || (!head.contains(&0) && std::str::from_utf8(head).map_or_else(cut_character, |_| true))
}

/// Reads a transcript of any known format; `Ok(None)` when the bytes are something else (audio, a sidecar, a note).
///
/// The language is the hint, else what the file says of itself, else guessed from the share of Han characters.
pub fn read(bytes: &[u8], file_name: &str, language_hint: Option<Language>) -> Result<Option<Transcript>, ReadError> {
    let extension = extension(file_name);
    let named_as_text = TEXT_NAMES.contains(&extension.as_str());
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return if named_as_text { Err(ReadError::NotUtf8 { line: 1 }) } else { Ok(None) };
    }
    if !named_as_text && bytes.iter().take(4096).any(|byte| *byte == 0) {
        return Ok(None);
    }
    if bytes.len() > MAX_BYTES {
        return if named_as_text { Err(ReadError::TooLarge) } else { Ok(None) };
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{FEFF}'),
        Err(_) if !named_as_text => return Ok(None),
        Err(e) => {
            let before = &bytes[..e.valid_up_to()];
            return Err(ReadError::NotUtf8 { line: 1 + before.iter().filter(|byte| **byte == b'\n').count() });
        }
    };
    let found = if text.starts_with("WEBVTT") || extension == "vtt" {
        Some(read_vtt(text)?)
    } else if text.trim_start().starts_with('{') {
        read_json(text)?
    } else if extension == "srt" {
        Some(read_srt(text)?)
    } else if matches!(extension.as_str(), "txt" | "") {
        read_lines(text)?
    } else {
        None
    };
    found.map(|found| found.finish(language_hint)).transpose()
}

/// The role that a speaker's label names, in English or Chinese, with or without a number or a name (`Agent 1`, `客服02`, `Supervisor Tom`,
/// `Emily (Rep)`).
pub fn role_of(label: &str) -> Option<Role> {
    let label = label.trim();
    let (before, inside) = match label.split_once(['(', '\u{FF08}']) {
        Some((before, inside)) => (before.trim(), inside.trim_end_matches([')', '\u{FF09}'])),
        None => (label, ""),
    };
    let first_word = before.split_once(' ').filter(|(_, name)| name.chars().next().is_some_and(char::is_uppercase));
    let first_word = first_word.map(|(word, _)| word);
    // 客服小王: a title and a name without a space between them.
    let title = TITLES_BEFORE_NAMES
        .iter()
        .find(|title| before.strip_prefix(**title).is_some_and(|name| (1..=4).contains(&name.chars().count())));
    [Some(before), Some(inside), first_word, title.copied()].into_iter().flatten().find_map(role_of_title)
}

/// Chinese titles that stand before a name.
const TITLES_BEFORE_NAMES: &[&str] = &["客服", "坐席", "座席", "客户", "顾客", "主管", "班长"];

fn role_of_title(label: &str) -> Option<Role> {
    let label = label.trim().trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '_' | '#' | '-'));
    let label = label.to_lowercase();
    match label.as_str() {
        "rep" | "representative" | "agent" | "advisor" | "adviser" | "operator" | "seller" | "salesperson"
        | "sales" | "csr" | "consultant" | "客服" | "坐席" | "座席" | "销售" | "销售员" | "业务员" | "客服代表"
        | "客服专员" | "专员" | "顾问" | "话务员" | "接线员" => Some(Role::Rep),
        "customer" | "client" | "caller" | "buyer" | "prospect" | "user" | "客户" | "顾客" | "用户" | "客人"
        | "来电者" => Some(Role::Customer),
        "ivr" | "语音系统" | "语音菜单" => Some(Role::Ivr),
        "supervisor" | "主管" | "班长" => Some(Role::Supervisor),
        "transfer target" | "transfer_target" | "转接坐席" => Some(Role::TransferTarget),
        _ => None,
    }
}

/// Splits `Rep: text` (also with a full-width colon); `None` when no known label begins the line.
fn labelled(line: &str) -> Option<(Role, &str)> {
    let (label, said) = before_colon(line)?;
    Some((role_of(label)?, said))
}

fn before_colon(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(['-', '–', ' ', '\t']);
    let colon = line.char_indices().take(MAX_LABEL + 1).find(|(_, c)| matches!(c, ':' | '\u{FF1A}'))?;
    Some((&line[..colon.0], line[colon.0 + colon.1.len_utf8()..].trim()))
}

/// Characters of a Chinese name with a title, such as 欧阳小明经理.
const MOST_HAN_OF_A_NAME: usize = 6;

/// Splits `Mr Brown: text`: somebody speaks, and nothing says for whom. What another person says must not be the words of whoever spoke before.
fn named(line: &str) -> Option<(Role, &str)> {
    let (label, said) = before_colon(line)?;
    let label = label.trim();
    let words = label.split(' ').filter(|word| !word.is_empty());
    let is_name = |word: &str| {
        let first = word.trim_start_matches(['(', '[']).chars().next();
        first.is_some_and(|c| c.is_uppercase() || c.is_numeric() || is_han(c))
    };
    // A clause before a colon, 他跟我说的原话是：, is longer than a name or a title.
    let is_short = !label.chars().any(is_han) || label.chars().count() <= MOST_HAN_OF_A_NAME;
    let looks_so = label.chars().any(char::is_alphabetic) && words.clone().count() <= 4 && words.clone().all(is_name);
    (is_short && looks_so && !said.starts_with("//")).then_some((Role::Unknown, said))
}

/// White space and control characters as single spaces; line breaks inside a cue carry no meaning.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for part in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()) {
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.push_str(part);
    }
    tidied
}

fn check_length(text: &str, line: usize) -> Result<(), ReadError> {
    // Counting is for the few that may be too long.
    if text.len() > MAX_TURN_CHARACTERS && text.chars().nth(MAX_TURN_CHARACTERS).is_some() {
        return Err(ReadError::TurnTooLong { line });
    }
    Ok(())
}

/// A turn as a format gives it.
struct RawTurn {
    role: Role,
    /// `None`: the format has no times.
    span: Option<(i64, i64)>,
    text: String,
    words: Vec<Word>,
}

/// A transcript under construction.
struct Found {
    format: &'static str,
    turns: Vec<RawTurn>,
    /// The language tag that the file carries; one that callmark does not score gives no language.
    language_tag: Option<String>,
    duration_ms: i64,
    dropped: BTreeMap<String, u32>,
    /// What was repaired → how often.
    repairs: BTreeMap<Warning, u32>,
}

impl Found {
    fn new(format: &'static str) -> Found {
        Found {
            format,
            turns: Vec::new(),
            language_tag: None,
            duration_ms: 0,
            dropped: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }

    fn malformed(&self, line: usize, what: impl Into<String>) -> ReadError {
        ReadError::Malformed { format: self.format, line, what: what.into() }
    }

    /// Adds a turn; one without words is left out.
    fn push(&mut self, turn: RawTurn, line: usize) -> Result<(), ReadError> {
        if turn.text.is_empty() {
            return Ok(());
        }
        if self.turns.len() >= MAX_TURNS {
            return Err(ReadError::TooManyTurns { line });
        }
        check_length(&turn.text, line)?;
        self.turns.push(turn);
        Ok(())
    }

    fn repair(&mut self, what: Warning) {
        *self.repairs.entry(what).or_default() += 1;
    }

    /// Checks a span; one that ends before it begins keeps its words and gets no length.
    fn span(&mut self, begin_ms: i64, end_ms: i64, line: usize) -> Result<(i64, i64), ReadError> {
        if begin_ms < 0 || begin_ms.max(end_ms) > MAX_MS {
            return Err(self.malformed(line, "a time is negative or beyond 24 hours"));
        }
        if end_ms < begin_ms {
            self.repair(Warning::CuesThatEndEarly);
        }
        Ok((begin_ms, end_ms.max(begin_ms)))
    }

    /// Adds the parts of one cue. Several speakers in one cue share its time in proportion to their text.
    fn push_cue(&mut self, parts: Vec<(Role, String)>, span: (i64, i64), line: usize) -> Result<(), ReadError> {
        let parts: Vec<_> = parts.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        let characters: Vec<i64> = parts.iter().map(|(_, text)| text.chars().count() as i64).collect();
        let total: i64 = characters.iter().sum();
        if parts.len() > 1 {
            self.repair(Warning::CuesOfSeveral);
        }
        let mut done = 0;
        for ((role, text), characters) in parts.into_iter().zip(characters) {
            let at = |share: i64| span.0 + (span.1 - span.0) * share / total.max(1);
            let part = (at(done), at(done + characters));
            done += characters;
            self.push(RawTurn { role, span: Some(part), text, words: Vec::new() }, line)?;
        }
        Ok(())
    }

    /// Counts the cues that the lenient parsers skipped; a file of nothing else is an error.
    fn check_cues(&mut self, text: &str, read: usize) -> Result<(), ReadError> {
        let first = text.lines().position(|line| line.contains("-->"));
        let timings = text.lines().filter(|line| line.contains("-->")).count();
        let skipped = timings.saturating_sub(read);
        match first {
            Some(first) if read == 0 => Err(self.malformed(first + 1, "no cue is readable")),
            _ if skipped > 0 => {
                self.dropped.insert("unreadable_cue".into(), u32::try_from(skipped).unwrap_or(u32::MAX));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(self, hint: Option<Language>) -> Result<Transcript, ReadError> {
        if self.turns.is_empty() {
            return Err(ReadError::Empty { format: self.format });
        }
        let timed = self.turns.iter().all(|turn| turn.span.is_some());
        let of_sides = self.turns.iter().filter(|turn| turn.role.is_side()).count();
        let known = self.turns.iter().filter(|turn| matches!(turn.role, Role::Rep | Role::Customer)).count();
        let role_confidence_permille = (known * 1000 / of_sides.max(1)) as u16;
        let mut warnings: Vec<String> = self.repairs.iter().map(|(what, count)| what.with(&[count])).collect();
        if known < of_sides {
            let unknown = of_sides - known;
            warnings.push(Warning::SpeakersNotNamed.with(&[&unknown]));
        }
        let mut turns: Vec<Turn> = (0_i64..)
            .zip(self.turns)
            .map(|(index, turn)| {
                // Text without times keeps its order: the turn's number stands for its time, and `Medium::Text` says so.
                let (begin_ms, end_ms) = turn.span.filter(|_| timed).unwrap_or((index, index));
                let confidence = turn.words.iter().map(|word| u64::from(word.confidence_permille)).sum::<u64>();
                let confidence_permille = match turn.words.len() as u64 {
                    0 => 1000,
                    count => (confidence / count) as u16,
                };
                Turn { role: turn.role, begin_ms, end_ms, text: turn.text, words: turn.words, confidence_permille }
            })
            .collect();
        turns.sort_by_key(|turn| (turn.begin_ms, turn.end_ms, turn.role));
        let (turns, other_turns): (Vec<Turn>, Vec<Turn>) = turns.into_iter().partition(|turn| turn.role.is_side());
        let mut speech: Vec<RoleSpan> = turns
            .iter()
            .chain(&other_turns)
            .filter(|turn| timed && turn.end_ms > turn.begin_ms)
            .map(|turn| RoleSpan { role: turn.role, begin_ms: turn.begin_ms, end_ms: turn.end_ms })
            .collect();
        speech.sort_by_key(|span| (span.begin_ms, span.role));
        let language = hint.or_else(|| match &self.language_tag {
            Some(tag) => Language::parse(tag),
            None => Language::of_text(&turns.iter().map(|turn| turn.text.as_str()).collect::<String>()),
        });
        let last_ms = turns.iter().chain(&other_turns).map(|turn| turn.end_ms).max().unwrap_or(0);
        Ok(Transcript {
            medium: if timed { Medium::Speech } else { Medium::Text },
            language,
            duration_ms: if timed { self.duration_ms.max(last_ms) } else { 0 },
            role_method: if known == 0 { RoleMethod::None } else { RoleMethod::Labelled },
            role_confidence_permille,
            turns,
            speech,
            dropped: self.dropped,
            warnings,
            other_turns,
            ..Transcript::default()
        })
    }
}

/// Splits the plain text of a cue at lines that begin with a speaker; other lines belong to the line before.
fn parts_by_prefix(text: &str) -> Vec<(Role, String)> {
    let mut parts: Vec<(Role, String)> = Vec::new();
    for line in text.lines() {
        match (labelled(line), parts.last_mut()) {
            (Some((role, rest)), _) => parts.push((role, tidy(rest))),
            (None, Some((_, before))) => *before = tidy(&format!("{before} {line}")),
            (None, None) => parts.push((Role::Unknown, tidy(line))),
        }
    }
    parts
}

/// Finds the line of slices of a text that come in order, in one pass over the text.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> LineCounter<'a> {
        LineCounter { text, offset: 0, line: 1 }
    }

    /// The line on which `part`, a slice of the text, begins.
    fn line_of(&mut self, part: &str) -> usize {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        let passed = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.offset = self.offset.max(offset);
        self.line
    }
}

fn read_vtt(text: &str) -> Result<Found, ReadError> {
    let mut found = Found::new("WebVTT");
    let (mut lines, mut cues) = (LineCounter::new(text), 0);
    for block in vtt::Parser::new(text) {
        // The parser recovers from bad cues as browsers do; what it refuses is the file.
        let block = block.map_err(|e| found.malformed(1, e.to_string()))?;
        let vtt::Block::Cue(cue) = block else { continue };
        cues += 1;
        let line = lines.line_of(cue.body_ref());
        let ms = |t: vtt::Timestamp| i64::try_from(t.to_duration().as_millis()).unwrap_or(i64::MAX);
        let span = found.span(ms(cue.header_ref().start()), ms(cue.header_ref().end()), line)?;
        found.push_cue(parts_by_voice(cue.body_ref()), span, line)?;
    }
    found.check_cues(text, cues)?;
    Ok(found)
}

/// Splits a WebVTT cue at its voice tags; text outside any voice is split at `Rep:` prefixes.
fn parts_by_voice(body: &str) -> Vec<(Role, String)> {
    use vtt::cue::{CueParser, CueToken, Tag};
    let mut parts: Vec<(Option<Role>, String)> = vec![(None, String::new())];
    for token in CueParser::new(body) {
        match token {
            CueToken::StartTag { tag: Tag::Voice, annotation, .. } => {
                let role = annotation.and_then(|name| role_of(name.normalize())).unwrap_or(Role::Unknown);
                parts.push((Some(role), String::new()));
            }
            CueToken::EndTag(Tag::Voice) => parts.push((None, String::new())),
            CueToken::Text(piece) => {
                if let Some((_, text)) = parts.last_mut() {
                    text.push_str(piece.normalize());
                }
            }
            _ => {}
        }
    }
    parts
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .flat_map(|(role, text)| match role {
            // A voice that names nobody may still hold a prefix that does.
            None | Some(Role::Unknown) => parts_by_prefix(&text),
            Some(role) => vec![(role, tidy(&text))],
        })
        .collect()
}

fn read_srt(text: &str) -> Result<Found, ReadError> {
    let mut found = Found::new("SRT");
    let (mut lines, mut line, mut cues) = (LineCounter::new(text), 1, 0);
    for entry in srt::Parser::lossy(text) {
        let entry = entry.map_err(|e| found.malformed(line, e.to_string()))?;
        line = lines.line_of(entry.body_ref());
        cues += 1;
        let ms = |t: srt::Timestamp| i64::try_from(t.to_duration().as_millis()).unwrap_or(i64::MAX);
        let span = found.span(ms(entry.header_ref().start()), ms(entry.header_ref().end()), line)?;
        let plain = srt::text::PlainText::new(entry.body_ref());
        found.push_cue(parts_by_prefix(plain.normalize()), span, line)?;
    }
    found.check_cues(text, cues)?;
    Ok(found)
}

/// `Rep: …` lines. At least two of them make a transcript; a line without a speaker belongs to the turn before it, one with an unknown
/// speaker to nobody.
fn read_lines(text: &str) -> Result<Option<Found>, ReadError> {
    if text.lines().filter(|line| labelled(line).is_some()).take(2).count() < 2 {
        return Ok(None);
    }
    let mut found = Found::new("text");
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match (labelled(line).or_else(|| named(line)), found.turns.last_mut()) {
            (Some((role, said)), _) => {
                let turn = RawTurn { role, span: None, text: tidy(said), words: Vec::new() };
                found.push(turn, number + 1)?;
            }
            (None, Some(before)) => {
                if !before.text.is_empty() {
                    before.text.push(' ');
                }
                before.text.push_str(&tidy(line));
                check_length(&before.text, number + 1)?;
            }
            (None, None) => *found.dropped.entry("line_before_first_speaker".into()).or_default() += 1,
        }
    }
    Ok(Some(found))
}

fn read_json(text: &str) -> Result<Option<Found>, ReadError> {
    const KEYS: [&str; 3] = ["\"Transcript\"", "\"transcription\"", "\"segments\""];
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        // Broken JSON that never mentions a transcript is somebody else's to report.
        Err(_) if !KEYS.iter().any(|key| text.contains(key)) => return Ok(None),
        Err(e) => {
            let what = format!("{:?} error at column {}", e.classify(), e.column());
            return Err(ReadError::Malformed { format: "JSON", line: e.line(), what });
        }
    };
    // callmark's own analysis.json is a result, not a recording.
    if value.get("Qa").is_some() {
        return Ok(None);
    }
    let list = |key: &str| value.get(key).and_then(Value::as_array).filter(|list| list.iter().all(Value::is_object));
    let mut found = if let Some(items) = list("Transcript") {
        contact_lens(&value, items)?
    } else if let Some(items) = list("transcription") {
        whisper(items, |item| {
            let offsets = item.get("offsets")?;
            Some((offsets.get("from")?.as_i64()?, offsets.get("to")?.as_i64()?))
        })?
    } else if let Some(items) = list("segments") {
        whisper(items, |item| Some((seconds_ms(item.get("start")?)?, seconds_ms(item.get("end")?)?)))?
    } else {
        return Ok(None);
    };
    let tag = value.get("LanguageCode").or_else(|| value.get("language"));
    let tag = tag.or_else(|| value.get("result").and_then(|result| result.get("language")));
    found.language_tag = tag.and_then(Value::as_str).map(str::to_string);
    Ok(Some(found))
}

/// Seconds as a JSON number, in whole milliseconds.
fn seconds_ms(value: &Value) -> Option<i64> {
    value.as_f64().filter(|s| s.is_finite() && s.abs() < 1e9).map(|s| (s * 1000.0).round() as i64)
}

/// Amazon Connect Contact Lens (1.1.0) and Transcribe Call Analytics: `Transcript[]` with roles and offsets. Chat
/// transcripts have no offsets.
fn contact_lens(value: &Value, items: &[Value]) -> Result<Found, ReadError> {
    let mut found = Found::new("Contact Lens JSON");
    let string = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_string);
    // ParticipantId → ParticipantRole, for files whose turns only carry the id.
    let participants: BTreeMap<String, String> = value
        .get("Participants")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|p| Some((string(p, "ParticipantId")?, string(p, "ParticipantRole")?)))
        .collect();
    for (index, item) in items.iter().enumerate() {
        let id = string(item, "ParticipantId");
        // callmark's own names for the others on the line; their roles are Amazon's nearest.
        let other = id.as_deref().and_then(role_of).filter(|role| !role.is_side());
        let label = string(item, "ParticipantRole")
            .or_else(|| id.as_ref().and_then(|id| participants.get(id).cloned()))
            .or(id)
            .unwrap_or_default();
        if other.is_none() && matches!(label.to_ascii_uppercase().as_str(), "SYSTEM" | "CUSTOM_BOT") {
            *found.dropped.entry("system_message".into()).or_default() += 1;
            continue;
        }
        let text = tidy(item.get("Content").and_then(Value::as_str).unwrap_or_default());
        let offset = |key: &str| item.get(key).filter(|value| !value.is_null());
        let span = match (offset("BeginOffsetMillis"), offset("EndOffsetMillis")) {
            (None, None) => None,
            (begin, end) => match (begin.and_then(Value::as_i64), end.and_then(Value::as_i64)) {
                (Some(begin), Some(end)) => Some(found.span_of_item(begin, end, index)?),
                _ => {
                    found.repair(Warning::TimesMissing);
                    None
                }
            },
        };
        let mut words = Vec::new();
        for item in item.get("Items").and_then(Value::as_array).into_iter().flatten() {
            match word(item) {
                Some(word) => words.push(word),
                // Punctuation and words of chats have no times; times that cannot be are another matter.
                None if item.get("BeginOffsetMillis").is_some() => {
                    found.repair(Warning::WordsThatCannotBe);
                }
                None => {}
            }
        }
        found
            .push(RawTurn { role: other.or(role_of(&label)).unwrap_or(Role::Unknown), span, text, words }, index + 1)?;
    }
    let duration = value.get("ConversationCharacteristics").and_then(|c| c.get("TotalConversationDurationMillis"));
    let possible = duration.and_then(Value::as_i64).filter(|ms| (0..=MAX_MS).contains(ms));
    if duration.is_some() && possible.is_none() {
        found.repair(Warning::LengthThatCannotBe);
    }
    found.duration_ms = possible.unwrap_or(0);
    Ok(found)
}

/// One word of Transcribe's `Items[]`; punctuation and words without times are left out.
fn word(item: &Value) -> Option<Word> {
    if item.get("Type").and_then(Value::as_str) == Some("punctuation") {
        return None;
    }
    let confidence = item.get("Confidence")?;
    let confidence = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok())?;
    let begin_ms = item.get("BeginOffsetMillis")?.as_i64().filter(|ms| (0..=MAX_MS).contains(ms))?;
    Some(Word {
        text: item.get("Content")?.as_str()?.to_string(),
        begin_ms,
        end_ms: item.get("EndOffsetMillis")?.as_i64().filter(|ms| (begin_ms..=MAX_MS).contains(ms))?,
        confidence_permille: (confidence.clamp(0.0, 1.0) * 1000.0).round() as u16,
    })
}

/// whisper.cpp (`transcription[]`) and faster-whisper / WhisperX (`segments[]`): a role only where a `speaker` names one.
fn whisper(items: &[Value], span: impl Fn(&Value) -> Option<(i64, i64)>) -> Result<Found, ReadError> {
    let mut found = Found::new("Whisper JSON");
    for (index, item) in items.iter().enumerate() {
        let (begin, end) = span(item).ok_or_else(|| found.malformed_item(index, "a segment without times"))?;
        let span = Some(found.span_of_item(begin, end, index)?);
        let text = item.get("text").and_then(Value::as_str).unwrap_or_default();
        let speaker = item.get("speaker").and_then(Value::as_str).and_then(role_of);
        let (role, text) = match (speaker, labelled(text)) {
            (Some(role), _) => (role, text),
            (None, Some(found)) => found,
            (None, None) => (Role::Unknown, text),
        };
        found.push(RawTurn { role, span, text: tidy(text), words: Vec::new() }, index + 1)?;
    }
    Ok(found)
}

impl Found {
    /// JSON values carry no line: the turn's number says where.
    fn malformed_item(&self, index: usize, what: &str) -> ReadError {
        self.malformed(1, format!("turn {}: {what}", index + 1))
    }

    fn span_of_item(&mut self, begin_ms: i64, end_ms: i64, index: usize) -> Result<(i64, i64), ReadError> {
        self.span(begin_ms, end_ms, 1).map_err(|_| self.malformed_item(index, "a time is negative or beyond 24 hours"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Role initial, times and text of each turn, one per line.
    fn show(transcript: &Transcript) -> String {
        let line = |turn: &Turn| {
            let role = match turn.role {
                Role::Rep => "R",
                Role::Customer => "C",
                Role::Unknown => "?",
                Role::Ivr | Role::Supervisor | Role::TransferTarget => "O",
            };
            format!("{role} {}-{} {}", turn.begin_ms, turn.end_ms, turn.text)
        };
        transcript.turns.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn ok(input: &str, name: &str) -> Transcript {
        read(input.as_bytes(), name, None).unwrap().unwrap()
    }

    #[test]
    fn vtt_with_voices_prefixes_entities_and_overlap() {
        let input = "\u{FEFF}WEBVTT - exported\r\n\r\nNOTE made by hand\r\n\r\n1\r\n00:00.000 --> 00:02.500 align:start\r\n\
            <v Rep>Tom &amp; I <b>record</b>\r\nthis call.</v>\r\n\r\n00:02.000 --> 00:03.000\r\n<v.loud Customer 1>OK</v>\r\n\r\n\
            01:00:00.000 --> 01:00:02.000\r\nAgent: Good\r\nbye\r\n\r\n01:00:03.000 --> 01:00:04.000\r\n<v Ann>hm</v>\r\n";
        let found = ok(input, "call.vtt");
        assert_eq!(
            show(&found),
            "R 0-2500 Tom & I record this call.\nC 2000-3000 OK\nR 3600000-3602000 Good bye\n? 3603000-3604000 hm"
        );
        assert_eq!((found.medium, found.language), (Medium::Speech, Some(Language::En)));
        assert_eq!((found.role_method, found.role_confidence_permille), (RoleMethod::Labelled, 750));
        assert_eq!(found.duration_ms, 3_604_000);
        assert_eq!(found.speech.len(), 4, "overlaps are kept");
        assert_eq!(found.recogniser_confidence_permille, None);
        assert_eq!(found.warnings.len(), 1);
    }

    #[test]
    fn vtt_in_chinese_with_two_speakers_in_one_cue() {
        let input = "WEBVTT\n\n00:01.000 --> 00:05.000\n<v 客服>您好<v 客户>你好啊喂喂\n\n00:06.000 --> 00:07.000\n坐席01\u{FF1A}再见\n";
        let found = ok(input, "a.vtt");
        assert_eq!(show(&found), "R 1000-2142 您好\nC 2142-5000 你好啊喂喂\nR 6000-7000 再见");
        assert_eq!((found.language, found.role_confidence_permille), (Some(Language::Zh), 1000));
        assert_eq!(found.warnings, ["1 cues with several speakers: their time is divided in proportion to the text"]);
    }

    #[test]
    fn srt_with_prefixes() {
        let input = "1\n00:00:01,000 --> 00:00:04,000\nRep: <i>Hello</i>\nthere\n\n2\n00:00:04,500 --> 00:00:05,000\n- 客户\u{FF1A}太贵了\n\n\
            3\n00:00:06,000 --> 00:00:07,000\nnobody\n";
        let found = ok(input, "a.SRT");
        assert_eq!(show(&found), "R 1000-4000 Hello there\nC 4500-5000 太贵了\n? 6000-7000 nobody");
        assert_eq!(found.role_confidence_permille, 666);
    }

    #[test]
    fn cues_that_cannot_be_read_are_counted() {
        let vtt = "WEBVTT\n\n00:00 --> 00:01.000\n<v Rep>lost\n\n00:01.000 --> 00:02.000\n<v Rep>kept\n";
        let srt = "1\n00:00:00 --> 00:00:01,000\nRep: lost\n\n2\n00:00:01,000 --> 00:00:02,000\nRep: kept\n";
        for (input, name) in [(vtt, "a.vtt"), (srt, "a.srt")] {
            let found = ok(input, name);
            assert_eq!(show(&found), "R 1000-2000 kept");
            assert_eq!(found.dropped, BTreeMap::from([("unreadable_cue".to_string(), 1)]), "{name}");
        }
    }

    #[test]
    fn what_somebody_else_says_is_nobodys_words() {
        let text = "Rep: I will connect you.\nMr Brown: You are an idiot.\nCustomer: Pardon?\nSupervisor Tom: Hello.\nEmily (Rep): Back again,\n\
                    the price is: ten dollars.\nAGENT 007 (Emily): Yes.\nUnknown: hm\n客服小王：您好\n他跟我说的原话是：可以\n客户：你好\n小李：喂\n";
        let found = read(text.as_bytes(), "a.txt", None).unwrap().unwrap();
        let roles: Vec<Role> = found.turns.iter().map(|turn| turn.role).collect();
        let (rep, customer, unknown) = (Role::Rep, Role::Customer, Role::Unknown);
        assert_eq!(roles, [rep, unknown, customer, rep, rep, unknown, rep, customer, unknown]);
        assert_eq!(found.turns[3].text, "Back again, the price is: ten dollars.");
        assert_eq!(found.turns[6].text, "您好 他跟我说的原话是：可以");
        assert_eq!((found.other_turns.len(), found.other_turns[0].role), (1, Role::Supervisor));
        assert!(found.warnings.contains(&Warning::SpeakersNotNamed.with(&[&3])), "{:?}", found.warnings);
    }

    #[test]
    fn plain_lines_have_no_times() {
        let input = "\u{FEFF}Call 17, 3 March\n\nAgent: Hello,\n  how are you?\nCustomer: fine\nCustomer: thanks\n客服\u{FF1A}好的: 再见\n";
        let found = ok(input, "17.txt");
        assert_eq!(show(&found), "R 0-0 Hello, how are you?\nC 1-1 fine\nC 2-2 thanks\nR 3-3 好的: 再见");
        assert_eq!((found.medium, found.duration_ms, found.speech.len()), (Medium::Text, 0, 0));
        assert_eq!(found.dropped, BTreeMap::from([("line_before_first_speaker".to_string(), 1)]));
        assert_eq!(read("Rep: one line is a note".as_bytes(), "note.txt", None), Ok(None));
    }

    const LENS: &str = r#"{"Version":"1.1.0","Channel":"VOICE","LanguageCode":"en-US",
        "Participants":[{"ParticipantId":"p1","ParticipantRole":"CUSTOMER"},{"ParticipantId":"p2","ParticipantRole":"AGENT"}],
        "ConversationCharacteristics":{"TotalConversationDurationMillis":9000},
        "Transcript":[
          {"ParticipantId":"p2","Id":"a","Content":"Thank you for calling.","BeginOffsetMillis":40,"EndOffsetMillis":5050,
           "Items":[{"Type":"pronunciation","Confidence":"0.5","Content":"Thank","BeginOffsetMillis":40,"EndOffsetMillis":330},
                    {"Type":"punctuation","Confidence":0.0,"Content":"."}]},
          {"ParticipantId":"p1","Content":"Hi","BeginOffsetMillis":5000,"EndOffsetMillis":6000},
          {"ParticipantRole":"SYSTEM","Content":"joined","BeginOffsetMillis":0,"EndOffsetMillis":0}]}"#;

    #[test]
    fn contact_lens_voice_and_chat() {
        let found = ok(LENS, "x.json");
        assert_eq!(show(&found), "R 40-5050 Thank you for calling.\nC 5000-6000 Hi");
        assert_eq!((found.duration_ms, found.turns[0].confidence_permille, found.turns[0].words.len()), (9000, 500, 1));
        let chat = r#"{"Channel":"CHAT","LanguageCode":"es-US","Transcript":[
            {"ParticipantId":"AGENT","Content":"Hola","AbsoluteTime":"2025-02-19T06:01:22Z"},
            {"ParticipantId":"CUSTOMER","Content":"Buenas"}]}"#;
        let found = ok(chat, "x.json");
        assert_eq!(
            (found.medium, found.language),
            (Medium::Text, None),
            "a language that is not scored is not guessed"
        );
        assert_eq!(read(chat.as_bytes(), "x.json", Some(Language::En)).unwrap().unwrap().language, Some(Language::En));
    }

    #[test]
    fn contact_lens_offsets_that_cannot_be_are_counted() {
        let broken = LENS
            .replace(
                r#""BeginOffsetMillis":40,"EndOffsetMillis":330"#,
                r#""BeginOffsetMillis":-40,"EndOffsetMillis":330"#,
            )
            .replace("9000", "-1");
        let found = ok(&broken, "x.json");
        assert_eq!((found.turns[0].words.len(), found.duration_ms), (0, 6000));
        assert_eq!(
            found.warnings,
            [
                "1 length of the call that cannot be: the end of the last turn is taken",
                "1 words with times or confidences that cannot be: they are left out of the word list"
            ]
        );
        let found = ok(&LENS.replace(r#""EndOffsetMillis":6000"#, r#""EndOffsetMillis":"6 s""#), "x.json");
        assert_eq!(found.medium, Medium::Text);
        assert_eq!(
            found.warnings,
            ["1 turns with a time that is missing or no whole number: the call is read without times"]
        );
        assert_eq!(ok(LENS, "x.json").warnings, Vec::<String>::new());
    }

    #[test]
    fn whisper_json() {
        let cpp = r#"{"result":{"language":"zh"},"transcription":[{"offsets":{"from":0,"to":900},"text":" 你好"}]}"#;
        let found = ok(cpp, "x.json");
        assert_eq!(show(&found), "? 0-900 你好");
        assert_eq!((found.role_method, found.role_confidence_permille), (RoleMethod::None, 0));
        let x = r#"{"language":"en","segments":[{"start":0.1,"end":1.25,"text":"hi","speaker":"agent"}]}"#;
        assert_eq!(show(&ok(x, "x.json")), "R 100-1250 hi");
    }

    #[test]
    fn other_files_are_no_transcripts() {
        let other: [(&[u8], &str); 7] = [
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", "a.wav"),
            (b"\xFF\xFBmp3", "a.mp3"),
            (b"{\"rep_id\": \"r1\"}", "a.json"),
            (b"{\"rep_id\": ", "a.json"),
            (b"{\"Qa\": {}, \"Transcript\": []}", "a.analysis.json"),
            (b"just a note", "README.txt"),
            (b"call_id,rep\n", "calls.csv"),
        ];
        for (bytes, name) in other {
            assert_eq!(read(bytes, name, None), Ok(None), "{name}");
        }
    }

    #[test]
    fn errors_name_the_line_and_never_the_words() {
        let cases: [(&[u8], &str, usize); 6] = [
            (b"secret", "a.vtt", 1),
            (b"Rep: ok\nRep: \xFF\xFE", "a.txt", 2),
            (b"{\n\"Transcript\": [secret", "a.json", 2),
            (b"WEBVTT\n\n00:00.000 --> 99:00:00.000\nsecret\n", "a.vtt", 4),
            (b"WEBVTT\n\n00:00 --> secret\nsecret\n", "a.vtt", 3),
            (b"1\nsecret --> 00:00:01,000\nsecret\n", "a.srt", 2),
        ];
        for (bytes, name, line) in cases {
            let error = read(bytes, name, None).unwrap_err();
            assert!(error.to_string().contains(&format!("line {line}")), "{name}: {error}");
            assert!(!error.to_string().contains("secret"), "{name}: {error}");
            assert!(!error.hint().is_empty());
        }
        assert_eq!(read(b"WEBVTT\n", "a.vtt", None), Err(ReadError::Empty { format: "WebVTT" }));
    }

    #[test]
    fn limits_hold() {
        let many = "Rep: a\n".repeat(MAX_TURNS + 1);
        let error = read(many.as_bytes(), "a.txt", None).unwrap_err();
        assert_eq!(error, ReadError::TooManyTurns { line: MAX_TURNS + 1 });
        assert_eq!(read(&vec![b' '; MAX_BYTES + 1], "a.txt", None), Err(ReadError::TooLarge));
        let long =
            format!("Rep: a\nRep: b\n{}\n{}", "c".repeat(MAX_TURN_CHARACTERS - 2), "d".repeat(MAX_TURN_CHARACTERS));
        assert_eq!(read(long.as_bytes(), "a.txt", None).unwrap_err(), ReadError::TurnTooLong { line: 4 });
        let fits = format!("Rep: a\nRep: {}\n", "客".repeat(MAX_TURN_CHARACTERS));
        assert!(read(fits.as_bytes(), "a.txt", None).is_ok(), "characters count, not bytes");
        let deep = format!("{{\"Transcript\":{}", "[".repeat(100_000));
        assert!(matches!(read(deep.as_bytes(), "a.json", None), Err(ReadError::Malformed { .. })));
    }
}
