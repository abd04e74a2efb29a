//! The real recogniser and the real voice-activity network on synthetic speech.
//! Needs `scripts/get-models` to have run (ONNX Runtime and Silero in models/cache/).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use callmark_audio::spans::{SpanRules, speech_spans};
use callmark_audio::{Limits, decode, resample_to_16k};
use callmark_core::recording::Language;
use callmark_core::transcript::Span;
use callmark_models::asr::{AsrError, AsrOptions, ChannelTranscript, Lane, Recogniser};
use callmark_models::manifest::{Manifest, ModelError, model_dirs};
use callmark_models::vad::VoiceActivity;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Samples at 16 kHz and what is said.
fn speech(name: &str) -> (Vec<f32>, String) {
    let audio = decode(&std::fs::read(data(&format!("{name}.wav"))).unwrap(), &Limits::default()).unwrap();
    let text = std::fs::read_to_string(data(&format!("{name}.txt"))).unwrap();
    (resample_to_16k(&audio.channels[0], audio.sample_rate_hz), text)
}

fn voice_activity() -> VoiceActivity {
    let manifest = Manifest::built_in().unwrap();
    let file = manifest.find_model("silero-vad", &model_dirs(&[])).expect("run scripts/get-models first");
    VoiceActivity::load(&file.path).expect("run scripts/get-models first")
}

fn spans(samples: &[f32]) -> Vec<Span> {
    speech_spans(&voice_activity().probabilities_permille(samples).unwrap(), &SpanRules::default())
}

fn recogniser() -> Recogniser {
    let file = Manifest::built_in().unwrap().find_model("starter-en", &model_dirs(&[])).unwrap();
    Recogniser::load(&file).unwrap()
}

fn hear(lane: &mut Lane, samples: &[f32], spans: &[Span]) -> ChannelTranscript {
    lane.transcribe(samples, spans, &AsrOptions::default()).unwrap()
}

fn plain(text: &str) -> Vec<String> {
    let keep = |c: char| if c.is_alphanumeric() || c == '\'' { c.to_ascii_lowercase() } else { ' ' };
    text.chars().map(keep).collect::<String>().split_whitespace().map(str::to_string).collect()
}

/// Words of the reference that are missing from the hypothesis: a coarse but independent measure.
fn missing(reference: &str, said: &ChannelTranscript) -> (usize, usize) {
    let mut heard: Vec<String> = said.segments.iter().flat_map(|segment| plain(&segment.text)).collect();
    let reference = plain(reference);
    let missed = reference.iter().filter(|word| match heard.iter().position(|h| h == *word) {
        Some(at) => {
            heard.remove(at);
            false
        }
        None => true,
    });
    (missed.count(), reference.len())
}

#[test]
fn recognises_unheard_voices_and_trusts_itself() {
    let recogniser = recogniser();
    let floor = recogniser.settings().confidence_floor_permille;
    let mut lane = recogniser.lane(1).unwrap();
    for name in ["annie", "m6"] {
        let (samples, text) = speech(name);
        let spans = spans(&samples);
        let said = hear(&mut lane, &samples, &spans);
        let (missed, of) = missing(&text, &said);
        assert!(missed * 5 <= of, "{name}: {missed} of {of} words are missing");
        assert!(said.trust.confidence_permille() >= floor, "{name}: {:?}", said.trust);
        let language = lane.detect_language(&[(&samples, &spans)]).unwrap();
        assert_eq!((language.decode_in, language.heard), (Language::En, Some(Language::En)));
        for segment in &said.segments {
            assert!(spans.iter().any(|s| s.begin_ms <= segment.span.begin_ms && segment.span.end_ms <= s.end_ms));
            assert!(segment.words.windows(2).all(|pair| pair[0].end_ms <= pair[1].begin_ms));
            assert!(segment.words.iter().all(|word| word.begin_ms <= word.end_ms));
        }
    }
}

#[test]
fn words_depend_neither_on_the_lane_nor_on_what_it_heard_before() {
    let recogniser = recogniser();
    let (first, second) = (speech("annie").0, speech("m6").0);
    let (first_spans, second_spans) = (spans(&first), spans(&second));
    let alone = hear(&mut recogniser.lane(1).unwrap(), &second, &second_spans);
    let mut used = recogniser.lane(1).unwrap();
    hear(&mut used, &first, &first_spans);
    assert_eq!(hear(&mut used, &second, &second_spans), alone, "after another call");
    assert_eq!(hear(&mut used, &second, &second_spans), alone, "twice");
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| hear(&mut recogniser.lane(1).unwrap(), &second, &second_spans))).collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), alone, "on lanes side by side");
        }
    });
}

#[test]
fn the_second_decoding_changes_no_word() {
    let mut file = Manifest::built_in().unwrap().find_model("starter-en", &model_dirs(&[])).unwrap();
    let (samples, _) = speech("m6");
    let spans = spans(&samples);
    let with = hear(&mut Recogniser::load(&file).unwrap().lane(1).unwrap(), &samples, &spans);
    if let Some(entry) = &mut file.entry {
        entry.recogniser.second_speed_permille = 0;
    }
    let without = hear(&mut Recogniser::load(&file).unwrap().lane(1).unwrap(), &samples, &spans);
    assert_eq!(with.segments, without.segments);
    assert!(with.trust.agreement_permille().is_some() && without.trust.agreement_permille().is_none());
}

#[test]
fn silence_noise_and_tones_have_no_words() {
    let mut state = 1u64;
    let mut noise = |level: f32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * level
    };
    let seconds = 10 * 16_000;
    let tone = |hz: f32, n: usize| 0.2 * (std::f32::consts::TAU * hz * n as f32 / 16_000.0).sin();
    let sounds: [(&str, Vec<f32>); 4] = [
        ("silence", vec![0.0; seconds]),
        ("noise", (0..seconds).map(|_| noise(0.1)).collect()),
        ("dial tone", (0..seconds).map(|n| tone(350.0, n) + tone(440.0, n)).collect()),
        ("hum", (0..seconds).map(|n| tone(50.0, n)).collect()),
    ];
    let mut lane = recogniser().lane(1).unwrap();
    for (name, samples) in &sounds {
        let found = spans(samples);
        let speech_ms: i64 = found.iter().map(|s| s.end_ms - s.begin_ms).sum();
        assert!(speech_ms < 500, "{name}: {speech_ms} ms of speech");
        assert_eq!(hear(&mut lane, samples, &found).segments, [], "{name}");
    }
    // Even when voice activity errs: a span over silence is never decoded.
    let said = hear(&mut lane, &sounds[0].1, &[Span { begin_ms: 1_000, end_ms: 4_000 }]);
    assert_eq!((said.segments.len(), said.removed.len()), (0, 1));
}

#[test]
fn voice_activity_carries_its_state_over_blocks() {
    let (one, _) = speech("annie");
    let mut long = one.clone();
    while long.len() < 17 * 16_000 {
        long.extend_from_slice(&one);
    }
    let mut network = voice_activity();
    let whole = network.probabilities_permille(&long).unwrap();
    assert_eq!(whole.len(), long.len().div_ceil(512));
    // The first block does not know what follows.
    let prefix = network.probabilities_permille(&long[..512 * 512]).unwrap();
    assert_eq!(whole[..512], prefix[..]);
    // The second block hears the same speech as before: it must find it again, and the gaps, too.
    let speech = whole.iter().filter(|p| **p >= 500).count();
    assert!((whole.len() * 4 / 10..whole.len() * 95 / 100).contains(&speech), "{speech} of {}", whole.len());
    assert!(whole[512..].iter().any(|p| *p >= 900) && whole[512..].iter().any(|p| *p <= 100));
    assert!(network.probabilities_permille(&[]).unwrap().is_empty());
    assert_eq!(network.probabilities_permille(&[0.0; 100]).unwrap().len(), 1);
}

#[test]
fn wrong_inputs_are_errors() {
    let recogniser = recogniser();
    let mut lane = recogniser.lane(1).unwrap();
    let mut samples = vec![0.1f32; 16_000];
    let span = [Span { begin_ms: 0, end_ms: 1_000 }];
    let chinese = AsrOptions { language: Some(Language::Zh), initial_prompt: None };
    assert!(matches!(lane.transcribe(&samples, &span, &chinese), Err(AsrError::Language { .. })));
    samples[8_000] = f32::NAN;
    let error = lane.transcribe(&samples, &span, &AsrOptions::default()).unwrap_err();
    assert_eq!(error, AsrError::NotANumber { at_ms: 500 });
    assert!(hear(&mut lane, &[], &[]).segments.is_empty());
    // A span behind the end of the sound is nothing.
    assert!(hear(&mut lane, &[0.1; 1_600], &[Span { begin_ms: 5_000, end_ms: 6_000 }]).segments.is_empty());
    lane.cancel_on(Arc::new(AtomicBool::new(true)));
    samples[8_000] = 0.1;
    assert_eq!(lane.transcribe(&samples, &span, &AsrOptions::default()), Err(AsrError::Cancelled));
}

#[test]
fn a_damaged_model_never_reaches_native_code() {
    let manifest = Manifest::built_in().unwrap();
    let good = manifest.find_model("starter-en", &model_dirs(&[])).unwrap();
    let bytes = std::fs::read(&good.path).unwrap();
    let folder = std::env::temp_dir().join(format!("callmark-models-test-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("starter")).unwrap();
    let path = folder.join("starter/starter-en-q8_0.bin");
    // By its name: the manifest's size and hash decide.
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = manifest.find_model("starter-en", std::slice::from_ref(&folder)).unwrap_err();
    assert!(matches!(error, ModelError::Size { .. }), "{error}");
    // By its path: nothing is known about it, so its structure decides.
    let error = manifest.find_model(path.to_str().unwrap(), &[]).unwrap_err();
    assert!(matches!(error, ModelError::Structure { .. }) && !error.hint().is_empty(), "{error}");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    let error = manifest.find_model("starter-en", std::slice::from_ref(&folder)).unwrap_err();
    assert!(matches!(error, ModelError::Hash { .. }), "{error}");
    // A network under a recogniser's name.
    let silero = manifest.find_model("silero-vad", &model_dirs(&[])).expect("run scripts/get-models first");
    assert!(matches!(manifest.find_model(silero.path.to_str().unwrap(), &[]), Err(ModelError::Structure { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn words_do_not_depend_on_the_number_of_threads() {
    let recogniser = recogniser();
    let (samples, _) = speech("m6");
    let spans = spans(&samples);
    let said: Vec<ChannelTranscript> =
        (1..=3).map(|threads| hear(&mut recogniser.lane(threads).unwrap(), &samples, &spans)).collect();
    assert!(!said[0].segments.is_empty());
    assert!(said.iter().all(|other| *other == said[0]));
}

#[test]
fn packed_speech_is_found_at_its_place() {
    let mut file = Manifest::built_in().unwrap().find_model("starter-en", &model_dirs(&[])).unwrap();
    file.entry.as_mut().unwrap().recogniser.window_ms = 20_000;
    let mut packing = Recogniser::load(&file).unwrap().lane(1).unwrap();
    let mut single = recogniser().lane(1).unwrap();
    // The same speech twice with half a minute between: in one clip the second lies close behind the first.
    let (speech, _) = speech("annie");
    let mut samples = speech.clone();
    samples.resize(speech.len() + 30 * 16_000, 0.0);
    let second_at_ms = samples.len() as i64 / 16;
    samples.extend(&speech);
    let spans = spans(&samples);
    let (packed, alone) = (hear(&mut packing, &samples, &spans), hear(&mut single, &samples, &spans));
    let inside = |said: &ChannelTranscript| {
        said.segments
            .iter()
            .flat_map(|s| &s.words)
            .all(|word| spans.iter().any(|span| span.begin_ms <= word.begin_ms && word.end_ms <= span.end_ms))
    };
    assert!(inside(&packed) && inside(&alone));
    let behind = |said: &ChannelTranscript| {
        said.segments.iter().flat_map(|s| &s.words).filter(|word| word.begin_ms >= second_at_ms).count()
    };
    // The starter drops words in long clips; that some are there, at the right end of the recording, is what counts here.
    assert!(behind(&alone) > 0 && behind(&packed) * 3 >= behind(&alone), "{} {}", behind(&packed), behind(&alone));
}
