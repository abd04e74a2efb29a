//! Made-up calls as a recogniser would have left them in a store: turns and words with times, sides, reps, dates. For load tests of
//! what works on stored calls (re-score, diff, coverage).

use anyhow::Result;
use callmark_core::recording::{Direction, Language, Metadata};
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Transcript, Turn, Word};

use super::centre::{self, CAMPAIGNS, Rep};
use super::random::Random;
use super::script::{self, Subject, small_talk, spoken_ms};

const STORED_CALL: u64 = 4;
/// Confidence of made-up words, per mille: that of a good model on telephone speech.
const CONFIDENCE: (i64, i64) = (700, 999);

/// What the calls look like.
pub struct Shape {
    pub seed: u64,
    pub calls: u64,
    /// In each call.
    pub turns: usize,
    /// Least words of a turn (Chinese: pairs of characters); shorter sentences are filled up with ordinary talk.
    pub words: usize,
    pub languages: Vec<Language>,
    pub last_day: jiff::civil::Date,
}

/// A call that was never recorded.
pub struct MadeCall {
    pub call_id: String,
    pub metadata: Metadata,
    pub transcript: Transcript,
    /// Per turn: its sentence before the slots were filled. There are few, so that models need not read each turn.
    pub templates: Vec<&'static str>,
}

/// Makes calls of one shape; each depends on the seed and its number alone.
pub struct Maker {
    shape: Shape,
    reps: Vec<Rep>,
}

impl Maker {
    pub fn new(shape: Shape) -> Maker {
        let reps = centre::reps(shape.seed, shape.calls, &shape.languages);
        Maker { shape, reps }
    }

    pub fn reps(&self) -> usize {
        self.reps.len()
    }

    /// # Errors
    /// When the built-in sentences are damaged.
    pub fn call(&self, index: u64) -> Result<MadeCall> {
        let mut random = Random::new(self.shape.seed, STORED_CALL, index);
        let sales: Vec<usize> = (0..CAMPAIGNS.len()).filter(|i| CAMPAIGNS[*i].call_type == "sales").collect();
        let campaign = &CAMPAIGNS[random.pick(&sales)];
        let rep = &self.reps[random.below(self.reps.len())];
        let start = centre::start(&mut random, self.shape.last_day);
        let rare_word = super::rare_word(self.shape.seed, index);
        let subject = Subject {
            campaign,
            rep,
            language: rep.language,
            mistakes_permille: rep.mistakes_permille * start.tired_permille / 1000,
            daypart: usize::from(start.when.hour() >= 12) + usize::from(start.when.hour() >= 17),
            rare_word: &rare_word,
            // Twice what is wanted: sentences are shorter than the filled-up turns.
            seconds: (self.shape.turns * self.shape.words) as f64,
        };
        let mut lines = script::write(&subject, &mut random)?.lines;
        // What happens in a call happens at its beginning and at its end; ordinary talk lies between.
        let surplus = lines.len().saturating_sub(self.shape.turns);
        let from = self.shape.turns / 2;
        lines.drain(from..from + surplus);
        let mut now_ms = 200;
        let mut turns = Vec::with_capacity(lines.len());
        let mut templates = Vec::with_capacity(lines.len());
        for line in lines {
            let text = self.filled_up(line.text, line.role, &subject, &mut random)?;
            let begin_ms = now_ms + random.between(200, 900);
            let end_ms = begin_ms + spoken_ms(&text, rep.language) * random.between(900, 1_100) / 1000;
            turns.push(turn(line.role, text, begin_ms, end_ms, &mut random));
            templates.push(line.template);
            now_ms = end_ms;
        }
        let metadata = Metadata {
            rep_id: Some(rep.id.clone()),
            customer_id: Some(format!("K-{:05}", random.below(100_000))),
            team: Some(rep.team.clone()),
            campaign: Some(campaign.name.into()),
            direction: Some(if campaign.outbound { Direction::Outbound } else { Direction::Inbound }),
            call_type: Some(campaign.call_type.into()),
            language: Some(rep.language.code().into()),
            start_ts: Some(start.when.to_string()),
            tz: Some(if rep.language == Language::Zh { "Asia/Shanghai" } else { "America/New_York" }.into()),
            ..Metadata::default()
        };
        let transcript = transcript(rep.language, turns, now_ms + 500);
        Ok(MadeCall { call_id: format!("S{}-{index:06}", self.shape.seed), metadata, transcript, templates })
    }

    /// The text with ordinary talk after it, up to the shape's words.
    fn filled_up(&self, mut text: String, role: Role, subject: &Subject, random: &mut Random) -> Result<String> {
        loop {
            let missing = self.shape.words.saturating_sub(words(&text, subject.language).count());
            if missing == 0 {
                return Ok(text);
            }
            let more = small_talk(role, subject, random)?;
            let gap = if subject.language == Language::Zh { "，" } else { " " };
            let taken: Vec<&str> = words(&more, subject.language).take(missing).collect();
            text.push_str(gap);
            text.push_str(&taken.join(if subject.language == Language::Zh { "" } else { " " }));
        }
    }
}

/// English words; Chinese characters by twos.
fn words(text: &str, language: Language) -> Box<dyn Iterator<Item = &str> + '_> {
    if language == Language::En {
        return Box::new(text.split_whitespace());
    }
    let mut rest = text;
    Box::new(std::iter::from_fn(move || {
        let end = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    }))
}

/// A turn whose words share its time evenly.
fn turn(role: Role, text: String, begin_ms: i64, end_ms: i64, random: &mut Random) -> Turn {
    let language = Language::of_text(&text).unwrap_or(Language::En);
    let said: Vec<&str> = words(&text, language).collect();
    let count = said.len().max(1) as i64;
    let at = |n: i64| begin_ms + (end_ms - begin_ms) * n / count;
    let made: Vec<Word> = (0..)
        .zip(said)
        .map(|(n, word)| Word {
            text: word.to_string(),
            begin_ms: at(n),
            end_ms: at(n + 1),
            confidence_permille: random.between(CONFIDENCE.0, CONFIDENCE.1) as u16,
        })
        .collect();
    let sum: i64 = made.iter().map(|w| i64::from(w.confidence_permille)).sum();
    Turn { role, begin_ms, end_ms, text, words: made, confidence_permille: (sum / count) as u16 }
}

fn transcript(language: Language, turns: Vec<Turn>, duration_ms: i64) -> Transcript {
    let sum: i64 = turns.iter().map(|t| i64::from(t.confidence_permille)).sum();
    Transcript {
        medium: Medium::Speech,
        language: Some(language),
        duration_ms,
        role_method: RoleMethod::ChannelMap,
        role_confidence_permille: 1000,
        recogniser_confidence_permille: Some((sum / turns.len().max(1) as i64) as u16),
        confidence_floor_permille: Some(400),
        speech: turns.iter().map(|t| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms }).collect(),
        turns,
        channel_roles: vec![Role::Rep, Role::Customer],
        ..Transcript::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_shape_and_depend_on_the_seed_alone() {
        let maker = |seed, calls| {
            let languages = vec![Language::En, Language::Zh];
            let last_day = jiff::civil::date(2025, 3, 7);
            Maker::new(Shape { seed, calls, turns: 80, words: 12, languages, last_day })
        };
        let (first, again, other) = (maker(1, 2_000), maker(1, 2_000), maker(2, 2_000));
        let mut chinese = 0;
        for index in 0..40 {
            let call = first.call(index).unwrap();
            assert_eq!(call.transcript, again.call(index).unwrap().transcript);
            assert_ne!(call.transcript, other.call(index).unwrap().transcript);
            let turns = &call.transcript.turns;
            assert_eq!((turns.len(), call.templates.len()), (80, 80));
            assert!(turns.iter().all(|t| t.words.len() >= 12 && t.begin_ms < t.end_ms));
            assert!(turns.windows(2).all(|pair| pair[0].end_ms < pair[1].begin_ms));
            let said: usize = turns.iter().map(|t| t.words.len()).sum();
            assert!((960..1_440).contains(&said), "{said}");
            chinese += usize::from(call.transcript.language == Some(Language::Zh));
        }
        assert!((1..39).contains(&chinese), "{chinese}");
    }
}
