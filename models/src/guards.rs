//! Guards against words that nobody said. Whisper models invent fluent text over silence, noise and music; each guard
//! has a name under which the record counts what it removed.

use std::collections::BTreeMap;

use callmark_core::transcript::Span;

use crate::asr::Segment;

/// Why a span was not decoded or a segment was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    TooQuiet,
    NoSpeech,
    Repetition,
    PhantomPhrase,
    NotSpeechTag,
    LowProbability,
    TooFast,
    Babble,
}

impl Guard {
    pub fn name(self) -> &'static str {
        match self {
            Guard::TooQuiet => "too_quiet",
            Guard::NoSpeech => "no_speech",
            Guard::Repetition => "repetition",
            Guard::PhantomPhrase => "phantom_phrase",
            Guard::NotSpeechTag => "not_speech_tag",
            Guard::LowProbability => "low_probability",
            Guard::TooFast => "too_fast",
            Guard::Babble => "babble",
        }
    }
}

/// Mean power of a span below this is silence to any listener: −65 dB of full scale.
const MIN_POWER: f64 = 3.2e-7;
/// Whisper's own judgement (openai/whisper: 0.6 with mean log probability below −1, i.e. probability below 0.37).
const NO_SPEECH_PERMILLE: u16 = 600;
const NO_SPEECH_PROBABILITY_PERMILLE: u16 = 370;
/// Below this mean word probability text is noise for every model that was looked at (people with the starter: 350+).
const LOW_PROBABILITY_PERMILLE: u16 = 150;
/// Among many voices a recogniser makes out words that none of them says to anybody. Two signs, as means over the words around,
/// chosen on other babble than the evaluation's (models/evaluation/README.md). The first: the model itself doubts that somebody
/// speaks (`RecogniserSettings::babble_permille`) and is not sure of its words either.
const BABBLE_AROUND_MS: i64 = 10_000;
const UNSURE_PROBABILITY_PERMILLE: u64 = 650;
/// The second: it is unsure of everything for a while, and the sound swells less than one voice's, since many voices fill each
/// other's pauses; a voice in noise makes it sure of some words. Their probability and the spread of the amplitude of 20 ms frames,
/// both per mille, added.
const UNSURE_AND_EVEN_PERMILLE: u64 = 920;
/// Where most of the words for so long around are babble by these signs, the rest are as well: lucky guesses of the recogniser.
const MOSTLY_BABBLE_AROUND_MS: i64 = 60_000;
const FRAME: usize = 320;
/// Less sound than this says nothing about its swell.
const MIN_FRAMES: usize = 10;
/// Nobody says more words a second (fast English speech has 5, Chinese 8 characters).
const MAX_WORDS_PER_S: i64 = 12;

/// What Whisper models are known to say over silence, from their training on subtitles. Whole segments only.
const PHANTOMS: [&str; 16] = [
    "thanksforwatching",
    "thankyouforwatching",
    "thankyousomuchforwatching",
    "pleasesubscribe",
    "pleasesubscribetomychannel",
    "likeandsubscribe",
    "subtitlesbytheamaraorgcommunity",
    "subtitlesbyamaraorg",
    "seeyouinthenextvideo",
    "字幕由amaraorg社区提供",
    "字幕by索兰娅",
    "请不吝点赞订阅转发打赏支持明镜与点点栏目",
    "谢谢观看",
    "谢谢大家观看",
    "感谢观看",
    "明镜与点点栏目",
];

/// Looks at a span's samples before anything is decoded.
pub(crate) fn before(samples: &[f32]) -> Option<Guard> {
    let power = samples.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / samples.len().max(1) as f64;
    (power < MIN_POWER).then_some(Guard::TooQuiet)
}

/// Looks at a decoded segment.
pub(crate) fn after(segment: &Segment, no_speech_permille: u16) -> Option<Guard> {
    let text = segment.text.trim();
    let tagged = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    if tagged('[', ']') || tagged('(', ')') || tagged('*', '*') || tagged('♪', '♪') {
        return Some(Guard::NotSpeechTag);
    }
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if PHANTOMS.contains(&plain.as_str()) {
        return Some(Guard::PhantomPhrase);
    }
    if segment.mean_probability_permille < LOW_PROBABILITY_PERMILLE {
        return Some(Guard::LowProbability);
    }
    if no_speech_permille > NO_SPEECH_PERMILLE && segment.mean_probability_permille < NO_SPEECH_PROBABILITY_PERMILLE {
        return Some(Guard::NoSpeech);
    }
    let words: Vec<String> = segment.words.iter().map(|word| word.text.to_lowercase()).collect();
    if repeats(&words) {
        return Some(Guard::Repetition);
    }
    let length_ms = segment.span.end_ms - segment.span.begin_ms;
    // Two words in a clipped moment are no evidence.
    if words.len() >= 6 && words.len() as i64 * 1000 > MAX_WORDS_PER_S * length_ms {
        return Some(Guard::TooFast);
    }
    None
}

/// Which of a channel's segments (in time order, each with the no-speech probability of its decoding, per mille) are babble.
/// `sound`: the samples (16 kHz) of a span.
pub(crate) fn babble<'a>(
    segments: &[(&Segment, u16)],
    doubted_permille: u16,
    sound: impl Fn(Span) -> &'a [f32],
) -> Vec<bool> {
    let swells: Vec<Option<u64>> = segments.iter().map(|(segment, _)| swell_permille(sound(segment.span))).collect();
    let has_signs = |index: usize| {
        let (mut words, mut probability, mut no_speech, mut swelling, mut swell) = (0, 0, 0, 0, 0);
        for near in around(segments, index, BABBLE_AROUND_MS) {
            let (segment, no_speech_permille) = segments[near];
            let count = segment.words.len() as u64;
            words += count;
            probability += count * u64::from(segment.mean_probability_permille);
            no_speech += count * u64::from(no_speech_permille);
            if let Some(own_swell) = swells[near] {
                swelling += count;
                swell += count * own_swell;
            }
        }
        let unsure = probability < UNSURE_PROBABILITY_PERMILLE * words;
        let doubted = no_speech >= u64::from(doubted_permille) * words;
        let even = swelling > 0 && probability / words.max(1) + swell / swelling < UNSURE_AND_EVEN_PERMILLE;
        unsure && (doubted || even)
    };
    let signs: Vec<bool> = (0..segments.len()).map(has_signs).collect();
    let is_among_babble = |index: usize| {
        let (mut words, mut babble) = (0, 0);
        for near in around(segments, index, MOSTLY_BABBLE_AROUND_MS) {
            let count = segments[near].0.words.len();
            words += count;
            babble += count * usize::from(signs[near]);
        }
        2 * babble > words
    };
    (0..segments.len()).map(|index| signs[index] || is_among_babble(index)).collect()
}

/// The segments (in time order) that are within `ms` of one, itself among them.
fn around(segments: &[(&Segment, u16)], index: usize, ms: i64) -> impl Iterator<Item = usize> {
    let span = |i: &usize| segments[*i].0.span;
    let own = span(&index);
    let before = (0..index).rev().take_while(move |i| span(i).end_ms > own.begin_ms - ms);
    let behind = (index..segments.len()).take_while(move |i| span(i).begin_ms < own.end_ms + ms);
    before.chain(behind)
}

/// How much the amplitude comes and goes: about 950 for one voice, 300 for ten, 0 for a tone.
fn swell_permille(sound: &[f32]) -> Option<u64> {
    let frames: Vec<f64> = sound
        .chunks_exact(FRAME)
        .map(|frame| frame.iter().map(|v| f64::from(v.abs())).sum::<f64>() / FRAME as f64)
        .collect();
    if frames.len() < MIN_FRAMES {
        return None;
    }
    let mean = frames.iter().sum::<f64>() / frames.len() as f64;
    let variance = frames.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / frames.len() as f64;
    (mean > 0.0).then(|| (variance.sqrt() / mean * 1000.0) as u64)
}

/// A loop: some run of 1–6 words five times in a row (numbers are excused up to eight), or long text of few triples.
fn repeats(words: &[String]) -> bool {
    for size in 1..=6usize {
        let mut run = 1;
        let mut at = size;
        while at + size <= words.len() {
            let unit = &words[at..at + size];
            run = if words[at - size..at] == *unit { run + 1 } else { 1 };
            let digits = unit.iter().all(|word| word.chars().all(|c| !c.is_alphabetic()));
            if run >= if digits { 9 } else { 5 } {
                return true;
            }
            at += if run > 1 { size } else { 1 };
        }
    }
    let mut triples: BTreeMap<&[String], u32> = BTreeMap::new();
    for triple in words.windows(3) {
        *triples.entry(triple).or_default() += 1;
    }
    // openai/whisper's compression ratio of 2.4 is about this for English: most of the text said before.
    words.len() >= 24 && triples.len() * 5 < words.len() * 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use callmark_core::transcript::Word;

    fn segment(text: &str, probability: u16, length_ms: i64) -> Segment {
        let word = |text: &str| Word { text: text.into(), begin_ms: 0, end_ms: 0, confidence_permille: probability };
        Segment {
            span: Span { begin_ms: 0, end_ms: length_ms },
            text: text.to_string(),
            words: text.split(' ').map(word).collect(),
            mean_probability_permille: probability,
        }
    }

    #[test]
    fn each_guard_catches_its_case_and_speech_passes() {
        for (text, probability, length_ms, no_speech, expected) in [
            ("Thank you for calling, how can I help?", 800, 2_500, 0, None),
            ("Thank you for calling.", 800, 1_500, 900, None),
            ("Thank you.", 300, 1_000, 900, Some(Guard::NoSpeech)),
            ("Thanks for watching!", 900, 1_000, 0, Some(Guard::PhantomPhrase)),
            ("[BLANK_AUDIO]", 900, 1_000, 0, Some(Guard::NotSpeechTag)),
            ("the the the the the", 900, 3_000, 0, Some(Guard::Repetition)),
            ("I see I see I see I see I see", 900, 5_000, 0, Some(Guard::Repetition)),
            ("no no no no, I do not want that", 900, 3_000, 0, None),
            ("0 0 0 0 0 0 7", 900, 3_000, 0, None),
            ("random words here", 100, 2_000, 0, Some(Guard::LowProbability)),
            ("one two three four five six seven", 900, 300, 0, Some(Guard::TooFast)),
        ] {
            assert_eq!(after(&segment(text, probability, length_ms), no_speech), expected, "{text}");
        }
        assert_eq!(before(&[0.0001; 1_600]), Some(Guard::TooQuiet));
        assert_eq!(before(&[0.01; 1_600]), None);
    }

    #[test]
    fn unsure_words_are_babble_over_an_even_sound_or_where_no_speaker_is_heard() {
        // A tone, and the same with pauses as one voice has them: a second each.
        let even: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.1).sin() * 0.2).collect();
        let voice: Vec<f32> =
            even.iter().enumerate().map(|(n, v)| if n / 3_200 % 2 == 0 { *v } else { v * 0.02 }).collect();
        // (begin, word probability, no-speech probability)
        let found = |heard: &[(i64, u16, u16)], sound: &[f32]| {
            let at = |(begin_ms, probability, no_speech): &(i64, u16, u16)| {
                let span = Span { begin_ms: *begin_ms, end_ms: begin_ms + 1_000 };
                (Segment { span, ..segment("order number", *probability, 1_000) }, *no_speech)
            };
            let segments: Vec<(Segment, u16)> = heard.iter().map(at).collect();
            babble(&segments.iter().map(|(segment, p)| (segment, *p)).collect::<Vec<_>>(), 2, |_| sound)
        };
        assert_eq!(found(&[(0, 300, 0)], &even), [true]);
        assert_eq!(found(&[(0, 800, 0)], &even), [false], "sure words stay");
        assert_eq!(found(&[(0, 300, 0)], &voice), [false], "so does one voice");
        assert_eq!(found(&[(0, 500, 0), (5_000, 900, 0)], &even), [false; 2], "and what sure words are near to");
        assert_eq!(found(&[(0, 300, 0), (12_000, 900, 0)], &even), [true, false]);
        assert_eq!(found(&[(0, 300, 0), (12_000, 900, 0), (24_000, 300, 0)], &even), [true; 3], "a guess among babble");
        assert_eq!(
            found(&[(0, 300, 0), (90_000, 900, 0), (180_000, 300, 0)], &even),
            [true, false, true],
            "far from it"
        );
        assert_eq!(
            found(&[(0, 500, 0), (5_000, 200, 0), (6_500, 200, 0)], &even),
            [true; 3],
            "one lucky guess saves nothing"
        );
        assert_eq!(found(&[(0, 300, 0)], &even[..1_600]), [false], "too short to tell");
        assert_eq!(found(&[(0, 300, 0)], &[0.0; 16_000]), [false]);
        assert_eq!(found(&[(0, 600, 10)], &voice), [true], "the model doubts that somebody speaks");
        assert_eq!(found(&[(0, 700, 10)], &voice), [false], "and is sure nevertheless");
        assert_eq!(found(&[(0, 600, 5), (5_000, 600, 0), (6_500, 600, 0), (8_000, 600, 0)], &voice), [false; 4]);
        assert!(found(&[], &even).is_empty());
    }
}
