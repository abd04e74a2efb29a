//! The heads of acts that ship, against golden results that the training recipe wrote from Python: the same n-grams, the same
//! probabilities; and their promises: a text folder without one still loads, nothing odd in texts fails, a second reading says the same.
//!
//! Needs ONNX Runtime: CALLMARK_ONNXRUNTIME=/path/to/libonnxruntime.so (out of the PyPI wheel `onnxruntime`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use callmark_core::recording::Language;
use callmark_core::sentiment_context::SentimentContext;
use callmark_core::transcript::{ActReadings, Embedding, Role, Turn};
use callmark_models::act_head::{HeadInput, ngrams};
use callmark_models::text_encoder::{self, EncoderPool, TextEncoder, TurnText};
use callmark_models::text_model::TextModelError;
use ort::environment::Environment;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    text: String,
    ngrams: Vec<i64>,
    /// As records keep them: of this turn and the two before.
    embeddings: Vec<Vec<i8>>,
    roles: [f32; 3],
    place: [f32; 2],
    probabilities: Vec<f32>,
}

fn golden(language: Language) -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/acts-{}.json", language.code()));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn folder(language: Language) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("text-{}", language.code()))
}

fn environment() -> &'static Environment {
    callmark_models::runtime::onnx_runtime(None).expect("hint: run scripts/get-models")
}

fn encoder(language: Language) -> TextEncoder {
    TextEncoder::load(&folder(language), environment()).unwrap()
}

fn turn(role: Role, text: &str) -> Turn {
    Turn { role, begin_ms: 0, end_ms: 0, text: text.into(), words: Vec::new(), confidence_permille: 1000 }
}

/// What an encoder and its head make of a call.
fn read(encoder: &mut TextEncoder, language: Language, turns: &[Turn]) -> ActReadings {
    let texts: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
    let (embeddings, insults) = kept(encoder.encode(&texts).unwrap());
    encoder.read_acts(language, turns, &embeddings, &insults).unwrap().expect("the folder has a head")
}

/// What acts are read from.
fn kept(read: Vec<TurnText>) -> (Vec<Option<Embedding>>, Vec<Option<u16>>) {
    read.into_iter().map(|turn| (Some(turn.embedding), turn.insult_permille)).unzip()
}

#[test]
fn rust_gives_what_python_gave() {
    for language in Language::ALL {
        let golden = golden(language);
        assert_eq!(golden.len(), 50);
        let mut encoder = encoder(language);
        for expected in &golden {
            assert_eq!(ngrams(language, &expected.text), expected.ngrams, "{:?}", expected.text);
            let floats = expected.embeddings.iter().flatten().map(|int| f32::from(*int) / 127.0);
            let input = HeadInput {
                embeddings: floats.collect(),
                roles: expected.roles,
                place: expected.place,
                ngrams: expected.ngrams.clone(),
            };
            let found = encoder.act_probabilities(&input).unwrap().expect("the folder has a head");
            assert_eq!(found.len(), expected.probabilities.len());
            for (a, b) in found.iter().zip(&expected.probabilities) {
                assert!((a - b).abs() <= 1e-4, "{:?}: {a} instead of {b}", expected.text);
            }
        }
    }
}

/// Who is heard in which order: the turn itself comes first, whatever is missing is zero.
#[test]
fn a_turn_is_heard_with_the_two_before_it() {
    let turns =
        [turn(Role::Rep, "Hello"), turn(Role::Customer, "hello"), turn(Role::Unknown, "…"), turn(Role::Rep, "So")];
    let embeddings = [Some(Embedding(vec![127, 0])), Some(Embedding(vec![0, -127])), None, Some(Embedding(vec![0, 0]))];
    let of = |number| HeadInput::of(Language::En, &turns, &embeddings, number, 2);
    let first = of(0);
    assert_eq!(
        (first.embeddings, first.roles, first.place),
        (vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.3])
    );
    let third = of(2);
    assert_eq!((third.embeddings, third.roles), (vec![0.0, 0.0, 0.0, -1.0, 1.0, 0.0], [0.0, -1.0, 1.0]));
    assert_eq!((third.place, third.ngrams), ([0.2, 0.1], vec![0]));
    let long = vec![turn(Role::Rep, "yes"); 40];
    assert_eq!(HeadInput::of(Language::En, &long, &[], 20, 2).place, [1.0, 1.0]);
}

#[test]
fn odd_texts_are_read_and_read_the_same_again() {
    let long = "well i would like to know when it arrives ".repeat(400);
    let odd = [
        "",
        " ",
        " … !",
        "great \u{1F600}\u{1F44D}\u{1F3FD}",
        "\u{0}\u{7}\u{1B}[0m \u{202E}\u{FEFF}\u{FFFD}",
        "谢谢您 thank you",
        "ﬁ Ⅷ ²",
        "e\u{301}\u{301}",
        "İstanbul ΣΑΣ",
        &long,
    ];
    let roles = [Role::Rep, Role::Customer, Role::Unknown];
    let turns: Vec<Turn> = odd.iter().enumerate().map(|(n, text)| turn(roles[n % 3], text)).collect();
    for language in Language::ALL {
        let mut first = encoder(language);
        let once = read(&mut first, language, &turns);
        assert_eq!(once.turns.len(), turns.len());
        for (turn, acts) in turns.iter().zip(&once.turns) {
            let may = |act: &str| act.starts_with(turn.role.name()) || act.starts_with("either:");
            assert!(acts.iter().all(|(act, permille)| once.given.contains(act) && may(act) && *permille <= 1000));
        }
        assert_eq!(read(&mut first, language, &turns), once);
        assert_eq!(read(&mut encoder(language), language, &turns), once, "another session");
        assert_eq!(read(&mut first, language, &[]).turns, []);
    }
}

/// Whichever session is free, a call is read the same.
#[test]
fn a_pool_reads_what_its_encoders_read() {
    let pool = EncoderPool::load(&folder(Language::En), environment(), 2).unwrap();
    let turns = [turn(Role::Rep, "Good morning, this is Ann of Nordgate."), turn(Role::Customer, "Thanks, bye.")];
    let texts: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
    let expected = read(&mut encoder(Language::En), Language::En, &turns);
    std::thread::scope(|scope| {
        let ask = || {
            let (embeddings, insults) = kept(pool.ask(&texts).unwrap());
            pool.read_acts(Language::En, &turns, &embeddings, &insults).unwrap()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap().as_ref(), Some(&expected)));
    });
}

/// A copy of the English folder whose manifest was changed.
fn copy(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in ["model.onnx", "tokenizer.json", "acts.onnx"] {
        std::fs::copy(folder(Language::En).join(file), dir.path().join(file)).unwrap();
    }
    let manifest = std::fs::read_to_string(folder(Language::En).join("manifest.toml")).unwrap();
    std::fs::write(dir.path().join("manifest.toml"), change(&manifest)).unwrap();
    dir
}

/// The manifest with another value of a key.
fn with_line(manifest: &str, key: &str, value: &str) -> String {
    let change = |line: &str| if line.starts_with(key) { format!("{key} = {value}") } else { line.to_string() };
    manifest.lines().map(change).collect::<Vec<_>>().join("\n")
}

/// The manifest without the table of that name.
fn without_table(manifest: &str, name: &str) -> String {
    let mut inside = false;
    let outside = |line: &&str| {
        inside = if line.starts_with('[') && line.ends_with(']') { *line == format!("[{name}]") } else { inside };
        !inside
    };
    manifest.lines().filter(outside).collect::<Vec<_>>().join("\n")
}

/// A manifest as it was before there were heads.
fn without_head(manifest: &str) -> String {
    let rest =
        ["acts", "sentiment", "insult"].iter().fold(manifest.to_string(), |rest, name| without_table(&rest, name));
    let lines: Vec<&str> = rest.lines().filter(|line| !line.starts_with("\"acts.onnx\"")).collect();
    with_line(&lines.join("\n"), "schema", "1")
}

/// A manifest with these lines as its table about sentiment.
fn with_sentiment(manifest: &str, lines: &str) -> String {
    let rest = without_table(manifest, "sentiment");
    format!("{rest}\n\n[sentiment]\n{lines}\n")
}

#[test]
fn a_folder_without_a_head_loads_and_hears_no_acts() {
    let dir = copy(without_head);
    std::fs::remove_file(dir.path().join("acts.onnx")).unwrap();
    let hash = text_encoder::check(dir.path()).unwrap();
    assert_ne!(hash, text_encoder::check(&folder(Language::En)).unwrap(), "readings by a head are others than none");
    let mut encoder = TextEncoder::load(dir.path(), environment()).unwrap();
    let turns = [turn(Role::Rep, "Good morning.")];
    let (embeddings, insults) = kept(encoder.encode(&["Good morning."]).unwrap());
    assert_eq!(insults, [None]);
    assert_eq!(encoder.read_acts(Language::En, &turns, &embeddings, &insults).unwrap(), None);
}

/// An insult is one whoever says it and wherever; it needs no head of acts.
#[test]
fn insults_are_heard_of_whoever_speaks() {
    let said = [
        (Language::En, "You are a stupid idiot and I hope you die.", "Thank you, that is all I wanted to know."),
        (Language::Zh, "你就是个没脑子的废物，去死吧！", "好的谢谢，我想知道的就这些。"),
    ];
    for (language, insult, thanks) in said {
        let mut encoder = encoder(language);
        for role in [Role::Rep, Role::Customer, Role::Unknown] {
            let turns = [turn(role, thanks), turn(role, insult), turn(role, "")];
            let acts = read(&mut encoder, language, &turns);
            assert!(acts.given.contains(ActReadings::INSULT));
            let heard = acts.insults_permille();
            assert!(heard[1].is_some() && heard[0].is_none() && heard[2].is_none(), "{role:?}: {heard:?}");
            assert_eq!(read(&mut encoder, language, &turns[1..2]).insults_permille(), heard[1..2], "alone");
        }
    }
    let no_acts = copy(|manifest| without_table(manifest, "acts"));
    let heard = read(
        &mut TextEncoder::load(no_acts.path(), environment()).unwrap(),
        Language::En,
        &[turn(Role::Rep, said[0].1)],
    );
    assert_eq!(heard.given, BTreeSet::from([ActReadings::INSULT.to_string()]));
    assert!(heard.insults_permille()[0].is_some());
}

/// The threshold is in the hash under which readings are kept.
#[test]
fn another_threshold_of_insults_is_another_encoder() {
    let of = |value: &str| {
        copy(|manifest| format!("{}\n\n[insult]\nthreshold_permille = {value}\n", without_table(manifest, "insult")))
    };
    let none = copy(|manifest| without_table(manifest, "insult"));
    let folders = [none, of("600"), of("601")];
    let hashes: BTreeSet<String> = folders.iter().map(|dir| text_encoder::check(dir.path()).unwrap()).collect();
    assert_eq!(hashes.len(), folders.len());
    let mut deaf = TextEncoder::load(folders[0].path(), environment()).unwrap();
    assert_eq!(deaf.encode(&["You idiot."]).unwrap()[0].insult_permille, None);
    let older = copy(|manifest| with_line(manifest, "schema", "3"));
    for (wrong, told) in
        [(of("0"), "insult.threshold_permille"), (of("1001"), "insult.threshold_permille"), (older, "schema 4")]
    {
        let error = text_encoder::check(wrong.path()).unwrap_err();
        assert!(matches!(error, TextModelError::Manifest { .. }) && error.to_string().contains(told), "{error}");
    }
}

/// Whatever decides a reading is in the hash under which readings are kept.
#[test]
fn another_threshold_or_list_of_given_acts_is_another_encoder() {
    let shipped = text_encoder::check(&folder(Language::En)).unwrap();
    let same = copy(str::to_string);
    assert_eq!(text_encoder::check(same.path()).unwrap(), shipped);
    let none_given = copy(|manifest| with_line(manifest, "given", "[]"));
    assert_ne!(text_encoder::check(none_given.path()).unwrap(), shipped);
    for (key, value) in
        [("thresholds_permille", "[500]"), ("given", "[\"rep:singing\"]"), ("schema", "1"), ("schema", "5")]
    {
        let wrong = copy(|manifest| with_line(manifest, key, value));
        let error = text_encoder::check(wrong.path()).unwrap_err();
        assert!(matches!(error, TextModelError::Manifest { .. }), "{key}: {error}");
    }
}

/// It decides what a call's sentiment is, so it is in the hash under which sentiment is kept.
#[test]
fn another_weight_of_neighbours_is_another_encoder() {
    let of = |weight: u16, decay: u16| {
        let lines = format!("neighbour_weight_permille = {weight}\nneighbour_decay_permille = {decay}");
        copy(|manifest| with_sentiment(manifest, &lines))
    };
    let context = SentimentContext { weight_permille: 230, decay_permille: 800 };
    let folder = of(230, 800);
    let encoder = TextEncoder::load(folder.path(), environment()).unwrap();
    assert_eq!(encoder.sentiment_context(), Some(context));
    assert_eq!(text_encoder::check(folder.path()).unwrap(), encoder.encoder_hash());
    let pool = EncoderPool::load(folder.path(), environment(), 2).unwrap();
    assert_eq!(pool.sentiment_context(), Some(context));
    let alone = copy(|manifest| without_table(manifest, "sentiment"));
    assert_eq!(TextEncoder::load(alone.path(), environment()).unwrap().sentiment_context(), None);
    let folders = [alone, folder, of(231, 800), of(230, 801), of(1000, 0), of(100, 0)];
    let hashes: BTreeSet<String> = folders.iter().map(|dir| text_encoder::check(dir.path()).unwrap()).collect();
    assert_eq!(hashes.len(), folders.len());

    let older = copy(|manifest| {
        let lines = "neighbour_weight_permille = 230\nneighbour_decay_permille = 800";
        with_line(&with_sentiment(manifest, lines), "schema", "2")
    });
    let other_key = copy(|manifest| with_sentiment(manifest, "neighbour_weight_permille = 230\nweight = 1"));
    for (wrong, told) in [
        (of(1001, 0), "neighbour_weight_permille"),
        (of(230, 1000), "neighbour_decay_permille"),
        (older, "schema 3"),
        (other_key, "weight"),
    ] {
        let error = text_encoder::check(wrong.path()).unwrap_err();
        assert!(matches!(error, TextModelError::Manifest { .. }) && error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_damaged_head_is_refused_before_native_code_sees_it() {
    let dir = copy(str::to_string);
    let mut bytes = std::fs::read(dir.path().join("acts.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(dir.path().join("acts.onnx"), bytes).unwrap();
    for error in [text_encoder::check(dir.path()).err(), TextEncoder::load(dir.path(), environment()).err()] {
        assert!(matches!(error, Some(TextModelError::Hash { .. })), "{error:?}");
    }
    std::fs::remove_file(dir.path().join("acts.onnx")).unwrap();
    assert!(matches!(text_encoder::check(dir.path()), Err(TextModelError::Read { .. })));
}

/// Not a benchmark, but a guard: a head whose table is made float32 at every run takes as long as the encoder.
#[test]
fn reading_acts_takes_little_beside_encoding() {
    let mut encoder = encoder(Language::En);
    let turns: Vec<Turn> = (0..200)
        .map(|n| turn(Role::Rep, &format!("well i called on day {n} about the bill and they said somebody would look")))
        .collect();
    let texts: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
    let began = Instant::now();
    let (embeddings, insults) = kept(encoder.encode(&texts).unwrap());
    let encoding = began.elapsed();
    let began = Instant::now();
    encoder.read_acts(Language::En, &turns, &embeddings, &insults).unwrap();
    let reading = began.elapsed();
    assert!(reading * 5 < encoding, "{reading:?} beside {encoding:?}");
}
