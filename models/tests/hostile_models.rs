//! Model files that want to do harm: tens of thousands of mutants of a small valid model. The check never panics, and what passes it
//! can be loaded and asked by whisper.cpp, in a process of its own, without a crash.

#![allow(clippy::print_stdout, reason = "tests report what they measured; the child answers on it")]

use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::process::Command;

use callmark_core::transcript::Span;
use callmark_models::asr::{AsrOptions, Recogniser};
use callmark_models::ggml::check_whisper;
use callmark_models::manifest::{Manifest, file_sha256};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

/// Names the folder of files for the child process.
const FILES: &str = "CALLMARK_TEST_MUTANTS";
/// Type 2 is q4_0 for files and tensors: the smallest file.
const QUANTISED: i32 = 2;

/// A valid model of the smallest shape with random weights, and where its parts are.
struct Model {
    bytes: Vec<u8>,
    /// Four-byte numbers that whisper.cpp believes: hyper-parameters, sizes, dimensions, types.
    numbers: Vec<usize>,
    /// Tensor records.
    records: Vec<std::ops::Range<usize>>,
}

impl Model {
    fn small() -> Model {
        let mut model = Model { bytes: Vec::new(), numbers: Vec::new(), records: Vec::new() };
        let (state, layers, vocabulary, bands) = (64, 1, 51_864, 80);
        model.number(0x6767_6d6c);
        for value in
            [vocabulary, 1_500, state, state / 64, layers, 448, state, state / 64, layers, bands, QUANTISED, bands, 201]
        {
            model.number(value);
        }
        model.weights(80 * 201, false);
        let words = [" a", " ", "", " yes"];
        model.number(words.len() as i32);
        for word in words {
            model.number(word.len() as i32);
            model.bytes.extend(word.as_bytes());
        }
        model.tensor("encoder.positional_embedding", &[state, 1_500], 0);
        model.tensor("encoder.conv1.weight", &[3, bands, state], 1);
        model.tensor("encoder.conv1.bias", &[1, state], 0);
        model.tensor("encoder.conv2.weight", &[3, state, state], 1);
        model.tensor("encoder.conv2.bias", &[1, state], 0);
        model.tensor("decoder.positional_embedding", &[state, 448], 0);
        model.tensor("decoder.token_embedding.weight", &[state, vocabulary], QUANTISED);
        let norm = |model: &mut Model, name: &str| {
            model.tensor(&format!("{name}.weight"), &[state], 0);
            model.tensor(&format!("{name}.bias"), &[state], 0);
        };
        norm(&mut model, "encoder.ln_post");
        norm(&mut model, "decoder.ln");
        for (side, attentions) in [("encoder", &["attn"][..]), ("decoder", &["attn", "cross_attn"])] {
            let layer = format!("{side}.blocks.0");
            norm(&mut model, &format!("{layer}.mlp_ln"));
            for (part, from, to) in [("mlp.0", state, 4 * state), ("mlp.2", 4 * state, state)] {
                model.tensor(&format!("{layer}.{part}.weight"), &[from, to], QUANTISED);
                model.tensor(&format!("{layer}.{part}.bias"), &[to], 0);
            }
            for attention in attentions {
                norm(&mut model, &format!("{layer}.{attention}_ln"));
                for part in ["query", "key", "value", "out"] {
                    model.tensor(&format!("{layer}.{attention}.{part}.weight"), &[state, state], QUANTISED);
                    if part != "key" {
                        model.tensor(&format!("{layer}.{attention}.{part}.bias"), &[state], 0);
                    }
                }
            }
        }
        model
    }

    fn number(&mut self, value: i32) {
        self.numbers.push(self.bytes.len());
        self.bytes.extend(value.to_le_bytes());
    }

    /// Small random numbers, the same every time.
    fn weights(&mut self, count: usize, half: bool) {
        let mut state = self.bytes.len() as u32 | 1;
        for _ in 0..count {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            if half {
                // Exponent of about 2^-6, sign and fraction random.
                self.bytes.extend(((state as u16 & 0x83ff) | 0x2400).to_le_bytes());
            } else {
                self.bytes.extend((state as f32 / u32::MAX as f32 * 0.1 - 0.05).to_le_bytes());
            }
        }
    }

    fn tensor(&mut self, name: &str, sides: &[i32], kind: i32) {
        let begin = self.bytes.len();
        for value in [sides.len() as i32, name.len() as i32, kind].into_iter().chain(sides.iter().copied()) {
            self.number(value);
        }
        self.bytes.extend(name.as_bytes());
        let count: usize = sides.iter().map(|side| *side as usize).product();
        match kind {
            0 => self.weights(count, false),
            1 => self.weights(count, true),
            _ => {
                for block in 0..count / 32 {
                    self.bytes.extend(0x2000u16.to_le_bytes());
                    self.bytes.extend([block as u8 ^ 0x5a; 16]);
                }
            }
        }
        self.records.push(begin..self.bytes.len());
    }
}

#[derive(Clone, Debug)]
enum Mutation {
    /// A number that the file's reader believes.
    Number {
        at: prop::sample::Index,
        value: i32,
    },
    Byte {
        at: prop::sample::Index,
        value: u8,
    },
    /// Not among the weights.
    HeaderByte {
        at: prop::sample::Index,
        value: u8,
    },
    Cut {
        at: prop::sample::Index,
    },
    Append {
        bytes: Vec<u8>,
    },
    Remove {
        record: prop::sample::Index,
    },
    Repeat {
        record: prop::sample::Index,
    },
    /// One record takes another's place.
    Replace {
        record: prop::sample::Index,
        by: prop::sample::Index,
    },
    Swap {
        one: prop::sample::Index,
        other: prop::sample::Index,
    },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    let value = prop_oneof![
        4 => prop::sample::select(vec![
            0, 1, -1, 2, 3, 4, 8, 14, 32, 63, 64, 65, 128, 192, 256, 384, 448, 512, 1_000, 1_001, 1_500, 2_007, 2_048, 4_096,
            51_863, 51_864, 51_865, 51_866, 65_536, 1 << 24, 1 << 30, i32::MAX, i32::MIN,
        ]),
        1 => any::<i32>(),
    ];
    prop_oneof![
        8 => (index(), value).prop_map(|(at, value)| Mutation::Number { at, value }),
        2 => (index(), any::<u8>()).prop_map(|(at, value)| Mutation::Byte { at, value }),
        3 => (index(), any::<u8>()).prop_map(|(at, value)| Mutation::HeaderByte { at, value }),
        1 => index().prop_map(|at| Mutation::Cut { at }),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Mutation::Append { bytes }),
        1 => index().prop_map(|record| Mutation::Remove { record }),
        1 => index().prop_map(|record| Mutation::Repeat { record }),
        2 => (index(), index()).prop_map(|(record, by)| Mutation::Replace { record, by }),
        2 => (index(), index()).prop_map(|(one, other)| Mutation::Swap { one, other }),
    ]
}

impl Mutation {
    /// Sizes may have changed by an earlier one: what is not there any more is left alone.
    fn apply(&self, model: &Model, bytes: &mut Vec<u8>) {
        let record = |index: &prop::sample::Index| model.records[index.index(model.records.len())].clone();
        let whole = |range: &std::ops::Range<usize>, bytes: &Vec<u8>| range.end <= bytes.len();
        match self {
            Mutation::Number { at, value } => {
                let at = model.numbers[at.index(model.numbers.len())];
                if let Some(place) = bytes.get_mut(at..at + 4) {
                    place.copy_from_slice(&value.to_le_bytes());
                }
            }
            Mutation::Byte { at, value } => {
                let at = at.index(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *value;
                }
            }
            Mutation::HeaderByte { at, value } => {
                let begin = model.numbers[at.index(model.numbers.len())];
                let at = begin + at.index(40);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *value;
                }
            }
            Mutation::Cut { at } => bytes.truncate(at.index(bytes.len().max(1))),
            Mutation::Append { bytes: more } => bytes.extend(more),
            Mutation::Remove { record: index } => {
                let range = record(index);
                if whole(&range, bytes) {
                    bytes.drain(range);
                }
            }
            Mutation::Repeat { record: index } => {
                let range = record(index);
                if whole(&range, bytes) {
                    bytes.extend_from_within(range);
                }
            }
            Mutation::Replace { record: index, by } => {
                let (range, by) = (record(index), record(by));
                if whole(&range, bytes) {
                    bytes.splice(range, model.bytes[by].iter().copied());
                }
            }
            Mutation::Swap { one, other } => {
                let (mut first, mut second) = (record(one), record(other));
                if first.start > second.start {
                    std::mem::swap(&mut first, &mut second);
                }
                if first != second && whole(&second, bytes) {
                    bytes.splice(second, model.bytes[first.clone()].iter().copied());
                    let moved = record(if record(one).start > record(other).start { one } else { other });
                    bytes.splice(first, model.bytes[moved].iter().copied());
                }
            }
        }
    }
}

/// In memory: the mutants never touch a disk.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[test]
fn the_check_survives_twenty_thousand_mutants() {
    let model = Model::small();
    let check = |bytes: &[u8]| check_whisper(BufReader::new(Cursor::new(bytes)), bytes.len() as u64);
    check(&model.bytes).expect("the unchanged model is valid");
    let cases = std::env::var("CALLMARK_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (passed, tried) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    proptest!(config, |(mutations in prop::collection::vec(mutation(), 1..4))| {
        let mut bytes = model.bytes.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&model, &mut bytes));
        tried.set(tried.get() + 1);
        if let Ok(shape) = check(&bytes) {
            passed.set(passed.get() + 1);
            // Whatever passes is a model of the shape that its bytes can hold.
            prop_assert_eq!((shape.audio_state, shape.audio_layers, shape.text_layers), (64, 1, 1));
            prop_assert_eq!(bytes.len() >= model.bytes.len() - 100, true);
        }
    });
    println!("{} of {} mutants are valid models", passed.get(), tried.get());
    assert!(passed.get() > tried.get() / 100, "the mutants that pass are a sample worth loading");
    assert!(passed.get() < tried.get() / 2);
}

#[test]
fn whisper_cpp_survives_what_passes_the_check() {
    let model = Model::small();
    let folder = scratch();
    std::fs::write(folder.path().join("0.bin"), &model.bytes).unwrap();
    let wanted = std::env::var("CALLMARK_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200usize).min(2_000);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(mutation(), 1..4);
    let mut loaded = 0;
    // In batches: a crash is found within one.
    while loaded < wanted {
        let mut batch = 0;
        while batch < 50 {
            let mutations = strategy.new_tree(&mut runner).unwrap().current();
            let mut bytes = model.bytes.clone();
            mutations.iter().for_each(|mutation| mutation.apply(&model, &mut bytes));
            if bytes == model.bytes {
                continue;
            }
            if check_whisper(Cursor::new(&bytes), bytes.len() as u64).is_ok() {
                batch += 1;
                std::fs::write(folder.path().join(format!("{batch}.bin")), &bytes).unwrap();
            }
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child_loads_and_asks_every_file", "--nocapture"])
            .env(FILES, folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().rfind(|line| line.starts_with("asked ")).unwrap_or("none");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}, after {last}: {errors}", output.status);
        assert_eq!(text.lines().filter(|line| line.starts_with("asked ")).count(), 51, "{text}");
        loaded += batch;
    }
    println!("{loaded} mutants were loaded and asked");
}

/// Not a test by itself: `whisper_cpp_survives_what_passes_the_check` starts it as a process.
#[test]
#[ignore = "started by another test"]
fn child_loads_and_asks_every_file() {
    let Some(folder) = std::env::var_os(FILES) else { return };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let samples: Vec<f32> = (0..32_000).map(|n| (n as f32 * 0.05).sin() * 0.2).collect();
    for path in paths {
        let file = Manifest::built_in().unwrap().find_model(path.to_str().unwrap(), &[]).unwrap();
        assert_eq!(file.sha256, file_sha256(&path).unwrap());
        // An error is an answer; a crash would end this process.
        let answer = Recogniser::load(&file).and_then(|recogniser| {
            let span = [Span { begin_ms: 0, end_ms: 2_000 }];
            recogniser.lane(1)?.transcribe(&samples, &span, &AsrOptions::default())
        });
        let answer = answer.map(|said| said.segments.len());
        println!("asked {}: {answer:?}", path.display());
        if path.ends_with("0.bin") {
            assert!(answer.is_ok(), "the unchanged model works");
        }
    }
}
