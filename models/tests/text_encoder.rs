//! The shipped English text model against golden results that the training recipe wrote from Python, and its promises:
//! what else is in a batch changes nothing, every worker gives the same, exchanged files are refused.
//!
//! Needs ONNX Runtime: CALLMARK_ONNXRUNTIME=/path/to/libonnxruntime.so (out of the PyPI wheel `onnxruntime`).

mod golden_texts;

use std::path::{Path, PathBuf};
use std::time::Instant;

use callmark_models::text_encoder::{self, EncoderPool, TextEncoder};
use callmark_models::text_model::TextModelError;
use golden_texts::{check, golden};
use ort::environment::Environment;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("text-en")
}

fn environment() -> &'static Environment {
    callmark_models::runtime::onnx_runtime(None).expect("hint: run scripts/get-models")
}

fn encoder() -> TextEncoder {
    TextEncoder::load(&folder(), environment()).unwrap()
}

#[test]
fn rust_gives_what_python_gave() {
    let golden = golden("text-en");
    assert_eq!(golden.len(), 200);
    check(&mut encoder(), &golden);
}

#[test]
fn what_else_is_encoded_changes_nothing() {
    let golden = golden("text-en");
    let texts: Vec<&str> = golden.iter().map(|g| g.text.as_str()).collect();
    let reversed: Vec<&str> = texts.iter().rev().copied().collect();
    let mut encoder = encoder();
    let together = encoder.encode(&texts).unwrap();
    let mut backwards = encoder.encode(&reversed).unwrap();
    backwards.reverse();
    assert_eq!(together, backwards);
    for (text, expected) in texts.iter().zip(&together) {
        assert_eq!(encoder.encode(&[text]).unwrap()[0], *expected);
    }
}

#[test]
fn every_worker_of_a_pool_gives_the_same() {
    let golden = golden("text-en");
    let texts: Vec<&str> = golden.iter().map(|g| g.text.as_str()).collect();
    let expected = encoder().encode(&texts).unwrap();
    let pool = EncoderPool::load(&folder(), environment(), 2).unwrap();
    assert_eq!(text_encoder::check(&folder()).unwrap(), encoder().encoder_hash());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| pool.ask(&texts).unwrap())).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}

/// What a pool remembers is what its encoders say, in whichever order and company a text comes back.
#[test]
fn a_pool_remembers_the_same_bits() {
    let pool = EncoderPool::load(&folder(), environment(), 1).unwrap();
    let long = "this is a very long sentence ".repeat(12);
    let texts = ["Yes, please.", "One moment.", &long, "I am very angry about this.", "Yes, please.", ""];
    let alone = encoder().encode(&texts).unwrap();
    assert_eq!(pool.ask(&texts).unwrap(), alone, "the first time, with a repetition");
    assert_eq!(pool.ask(&texts).unwrap(), alone, "from memory");
    let mixed = ["That is new.", texts[3], texts[0], "That is new, too."];
    assert_eq!(pool.ask(&mixed).unwrap(), encoder().encode(&mixed).unwrap(), "partly from memory");
}

#[test]
fn case_and_white_space_do_not_matter_and_silence_says_nothing() {
    let r = encoder().encode(&["This is ridiculous", "  this   is RIDICULOUS ", "", " … !", "谢谢"]).unwrap();
    assert_eq!(r[0], r[1]);
    for silent in &r[2..4] {
        assert!(silent.embedding.0.iter().all(|x| *x == 0));
        assert_eq!(silent.sentiment.neutral_permille, 1000);
    }
    // A language that the model does not know is no error.
    assert_eq!(r[4].embedding.0.len(), 384);
}

#[test]
fn a_long_turn_is_cut_not_refused() {
    let long = "i would like to know when it arrives ".repeat(400);
    let longer = format!("{long} and thank you so much that is wonderful");
    let r = encoder().encode(&[&long, &longer]).unwrap();
    assert_eq!(r[0], r[1]);
}

#[test]
fn clear_cases_have_the_right_sign() {
    let texts = [
        ("I have been waiting for three weeks and nobody called me back", -1),
        ("this is ridiculous", -1),
        ("thank you that's great", 1),
        ("that was really helpful I appreciate it", 1),
        ("my account number is one two three", 0),
        ("that would be fine", 0),
        ("okay", 0),
        ("yes", 0),
    ];
    let mut encoder = encoder();
    for (text, sign) in texts {
        let milli = encoder.encode(&[text]).unwrap()[0].sentiment.milli();
        let found = if milli <= -1500 {
            -1
        } else if milli >= 1500 {
            1
        } else {
            0
        };
        assert_eq!(found, sign, "{text}: {milli}");
    }
}

#[test]
fn paraphrases_are_nearer_than_other_sentences() {
    let texts = [
        "we record calls for quality and training",
        "this conversation is being recorded for training",
        "i would like to pay by card",
    ];
    let r = encoder().encode(&texts).unwrap();
    let same = r[0].embedding.similarity_permille(&r[1].embedding);
    let other = r[0].embedding.similarity_permille(&r[2].embedding);
    assert!(same >= 600 && other <= 350, "{same} {other}");
}

#[test]
fn a_damaged_file_is_refused_before_native_code_sees_it() {
    let dir = std::env::temp_dir().join(format!("callmark-text-model-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for file in ["model.onnx", "acts.onnx", "tokenizer.json", "manifest.toml"] {
        std::fs::copy(folder().join(file), dir.join(file)).unwrap();
    }
    assert!(TextEncoder::load(&dir, environment()).is_ok());
    let mut bytes = std::fs::read(dir.join("model.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(dir.join("model.onnx"), bytes).unwrap();
    let damaged = TextEncoder::load(&dir, environment()).err();
    std::fs::remove_file(dir.join("model.onnx")).unwrap();
    let missing = TextEncoder::load(&dir, environment()).err();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(matches!(damaged, Some(TextModelError::Hash { .. })), "{damaged:?}");
    assert!(matches!(missing, Some(TextModelError::Read { .. })), "{missing:?}");
}

/// Not a benchmark, but a guard: with weights dequantised at every run a turn takes seven times as long.
#[test]
fn a_call_of_a_hundred_turns_takes_seconds_not_minutes() {
    let mut encoder = encoder();
    let turns = vec!["well i called last week about the bill and they said somebody would look into it"; 100];
    let began = Instant::now();
    encoder.encode(&turns).unwrap();
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
