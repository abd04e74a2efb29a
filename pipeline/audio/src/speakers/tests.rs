use callmark_core::diarization::{COLLAR_MS, DiarizationErrors, Speech, diarization_errors};
use callmark_core::transcript::Role;

use super::*;
use crate::{Limits, decode, resample_to_16k};

/// The two channels of a sample call at 16 kHz.
fn sample_call(file: &str) -> [Vec<f32>; 2] {
    let bytes = std::fs::read(format!("{}/../../sample-audio/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let audio = decode(&bytes, &Limits::default()).unwrap();
    [0, 1].map(|channel: usize| resample_to_16k(&audio.channels[channel], audio.sample_rate_hz))
}

/// Where a clean channel is loud, joined over pauses of 0.4 s: enough of a voice activity for synthetic calls.
fn loud(samples: &[f32]) -> Vec<Span> {
    let power = |part: &[f32]| part.iter().map(|v| v * v).sum::<f32>() / part.len() as f32;
    let powers: Vec<f32> = samples.chunks(320).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let mut out: Vec<Span> = Vec::new();
    for (index, _) in powers.iter().enumerate().filter(|(_, p)| **p > loudest * 0.003) {
        let (begin_ms, end_ms) = (20 * index as i64, 20 * index as i64 + 20);
        match out.last_mut() {
            Some(last) if begin_ms - last.end_ms < 400 => last.end_ms = end_ms,
            _ => out.push(Span { begin_ms, end_ms }),
        }
    }
    out
}

fn whole(samples: &[f32]) -> Vec<Span> {
    vec![Span { begin_ms: 0, end_ms: samples.len() as i64 / 16 }]
}

fn speech(spans: [&[Span]; 2]) -> Vec<Speech> {
    let of =
        |(speaker, spans): (Role, &[Span])| spans.iter().map(move |&span| Speech { speaker, span }).collect::<Vec<_>>();
    [Role::Rep, Role::Customer].into_iter().zip(spans).flat_map(of).collect()
}

fn two_speakers(samples: &[f32], speech: &[Span]) -> Speakers {
    Voices::new(samples, speech).two_speakers(None, None)
}

#[test]
fn sample_calls_mixed_to_one_channel() {
    let mut sum = DiarizationErrors::default();
    for file in ["T-1004.wav", "T-1007.wav", "T-1009.wav", "S-2009.wav"] {
        let [rep, customer] = sample_call(file);
        let mixed: Vec<f32> = rep.iter().zip(&customer).map(|(a, b)| a + b).collect();
        let found = two_speakers(&mixed, &loud(&mixed));
        assert!(found.are_two(), "{file}");
        assert_eq!(found, two_speakers(&mixed, &loud(&mixed)), "the same samples give the same spans");
        let truth = speech([&loud(&rep), &loud(&customer)]);
        let errors = diarization_errors(&truth, &speech([&found.spans[0], &found.spans[1]]), COLLAR_MS);
        sum.add(&errors);
    }
    // One voice for everybody would be wrong in a third of the time.
    assert!(sum.rate().unwrap() < 0.12, "{sum:?}");
}

#[test]
fn one_side_alone_is_one_speaker() {
    let sides = ["T-1004.wav", "T-1007.wav", "T-1009.wav", "S-2009.wav"].into_iter().flat_map(sample_call);
    let sure: Vec<i64> = sides
        .map(|side| two_speakers(&side, &loud(&side)))
        .filter(|found| found.are_two() && found.confidence_permille >= 800)
        .map(|found| found.separation_milli)
        .collect();
    // Whether there are two is the weaker part: three of the eight change their voice enough to be taken for two.
    assert!(sure.len() <= 3, "{sure:?}");
}

#[test]
fn hostile_sound_has_no_two_speakers() {
    let noise: Vec<f32> =
        (0..20 * 16_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0 - 0.5).collect();
    let sounds = [vec![], vec![0.0; 100], vec![0.0; 320_000], vec![f32::NAN; 320_000], vec![1e30; 320_000], noise];
    for samples in sounds {
        let found = two_speakers(&samples, &whole(&samples));
        assert!(!found.are_two(), "{found:?}");
        // Spans that lie outside the sound, or nowhere.
        two_speakers(&samples, &[Span { begin_ms: -50, end_ms: 1 << 40 }, Span { begin_ms: 9, end_ms: 9 }]);
    }
}

#[test]
fn a_word_belongs_to_who_covers_most_of_it() {
    let span = |begin_ms, end_ms| Span { begin_ms, end_ms };
    let speakers = Speakers {
        spans: [vec![span(0, 3_000)], vec![span(2_000, 5_000)]],
        overlaps: vec![span(2_000, 3_000)],
        ..Speakers::default()
    };
    let who = |begin_ms, end_ms| speakers.who_says(span(begin_ms, end_ms));
    assert_eq!(who(1_000, 1_400), Some(0));
    assert_eq!(who(2_200, 2_600), Some(0), "both: the first");
    assert_eq!(who(2_900, 3_400), Some(1));
    assert_eq!(who(6_000, 6_300), None);
}

#[test]
fn both_speak_where_the_detector_hears_it() {
    let [rep, customer] = sample_call("T-1004.wav");
    let mixed: Vec<f32> = rep.iter().zip(&customer).map(|(a, b)| a + b).collect();
    let speech = loud(&mixed);
    let place = *speech.iter().find(|s| s.end_ms - s.begin_ms > 2_500).expect("a long turn");
    let (begin_ms, end_ms) = (place.begin_ms + 1_000, place.begin_ms + 1_800);
    let heard: Vec<u16> = (0..mixed.len() as i64 / 320)
        .map(|hop| if (begin_ms..end_ms).contains(&(20 * hop)) { 980 } else { 20 })
        .collect();
    let found = Voices::new(&mixed, &speech).two_speakers(None, Some(&heard));
    let [overlap] = found.overlaps[..] else { panic!("{:?}", found.overlaps) };
    assert!((overlap.begin_ms - begin_ms).abs() <= 60 && (overlap.end_ms - end_ms).abs() <= 60, "{overlap:?}");
    for spans in &found.spans {
        assert!(spans.iter().any(|s| s.begin_ms <= overlap.begin_ms && overlap.end_ms <= s.end_ms), "{spans:?}");
    }
    // Shorter than the sound, or all at once.
    let voices = Voices::new(&mixed, &speech);
    voices.two_speakers(None, Some(&[]));
    voices.two_speakers(None, Some(&vec![1000; heard.len()]));
}
