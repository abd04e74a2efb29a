//! A plugged-in classifier: what Python computed for the tiny one of the tests, and what becomes of folders in which something is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use callmark_core::recording::Language;
use callmark_models::classifier::{self, ClassifierPool};
use callmark_models::runtime::{Environment, onnx_runtime};
use callmark_models::text_model::TextModelError;
use tempfile::TempDir;

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/classifier")
}

fn environment() -> &'static Environment {
    onnx_runtime(None).expect("hint: run scripts/get-models")
}

/// A copy of the tiny classifier in which one thing of its description was replaced.
fn changed(from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["model.onnx", "tokenizer.json", "classifier.toml"] {
        fs::copy(tiny().join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join("classifier.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    folder
}

fn error(folder: &TempDir) -> TextModelError {
    classifier::check(folder.path(), environment()).expect_err("something is wrong with it")
}

/// The golden examples of both languages, with emoji, capitals and texts that are cut, were computed by onnxruntime and tokenizers in Python.
#[test]
fn rust_gives_what_python_gave() {
    let description = classifier::check(&tiny(), environment()).unwrap();
    assert_eq!(description.languages, [Language::En, Language::Zh]);
    assert!(description.knows_neutral());
    let size = classifier::size_bytes(&tiny(), &description);
    assert!((5_000..100_000).contains(&size), "{size}");
}

#[test]
fn labels_that_mean_the_same_add_up_and_what_is_unsure_is_told() {
    let pool = ClassifierPool::load(&tiny(), environment(), 2).unwrap();
    let texts = [
        "Terrible, nobody, ridiculous.",
        "great, thank you, wonderful",
        "my account number",
        "great but terrible",
        "…",
        "",
    ];
    let said = pool.ask(&texts).unwrap();
    let permille = |n: usize| {
        let s = said[n].sentiment;
        (s.negative_permille, s.neutral_permille, s.positive_permille)
    };
    for n in 0..said.len() {
        let (negative, neutral, positive) = permille(n);
        assert_eq!(negative + neutral + positive, 1000, "{n}");
    }
    assert!(permille(0).0 > 900 && permille(1).2 > 900 && permille(2).1 > 900, "{said:?}");
    // One star and five: neither reaches the 600 per mille that the description asks for.
    assert!(!said[3].is_certain && said[0].is_certain, "{said:?}");
    for silent in &said[4..] {
        assert_eq!((silent.sentiment.neutral_permille, silent.is_certain), (1000, true));
    }
}

#[test]
fn company_order_and_worker_change_nothing() {
    let pool = ClassifierPool::load(&tiny(), environment(), 2).unwrap();
    let long = "the problem is great and ".repeat(60);
    let texts = ["wrong", "THANK you 👍🏽", long.as_str(), "谢谢 我的账号", "a\u{0}b\u{202E}c"];
    let together = pool.ask(&texts).unwrap();
    let cut = format!("{long} terrible terrible terrible");
    assert_eq!(pool.ask(&[cut.as_str()]).unwrap()[0], together[2], "what lies behind max_tokens is not read");
    std::thread::scope(|scope| {
        let alone = || texts.iter().rev().map(|text| pool.ask(&[text]).unwrap()[0]).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(alone)).collect();
        for thread in threads {
            let mut backwards = thread.join().unwrap();
            backwards.reverse();
            assert_eq!(backwards, together);
        }
    });
}

#[test]
fn a_wrong_folder_is_told_in_one_sentence() {
    let cases = [
        ("means = \"negative\"", "means = \"angry\"", "classifier.toml", "`angry`"),
        ("schema = 1", "schema = 2", "classifier.toml", "schema 2"),
        ("languages = [\"en\", \"zh\"]", "languages = [\"fr\"]", "classifier.toml", "`fr`"),
        ("languages = [\"en\", \"zh\"]", "languages = []", "classifier.toml", "`languages`"),
        ("max_tokens = 32", "max_tokens = 0", "classifier.toml", "`max_tokens`"),
        ("temperature = 1.3", "temperature = nan", "classifier.toml", "`temperature`"),
        ("lower_case", "lowercase", "classifier.toml", "`lowercase`"),
        ("model = \"model.onnx\"", "model = \"../model.onnx\"", "classifier.toml", "in this folder"),
        ("\"model.onnx\" = \"", "\"model.onnx\" = \"0", "model.onnx", "exchanged"),
        ("\"tokenizer.json\" = ", "\"tokeniser.json\" = ", "classifier.toml", "no SHA-256 of tokenizer.json"),
        (
            "attention_mask = \"attention_mask\"",
            "attention_mask = \"mask\"",
            "model.onnx",
            "its inputs are `input_ids`",
        ),
        ("token_type_ids = \"token_type_ids\"", "", "model.onnx", "also needs the input `token_type_ids`"),
        ("output = \"logits\"", "output = \"scores\"", "model.onnx", "its outputs are `logits`"),
        ("    { name = \"3 stars\", means = \"neutral\" },\n", "", "model.onnx", "5 classes, and 4 labels"),
        ("lower_case = true", "lower_case = false", "golden example 2", "instead of"),
        ("max_tokens = 32", "max_tokens = 64", "a text of max_tokens tokens", "fails on"),
        ("temperature = 1.3", "temperature = 1.0", "golden example 1", "instead of"),
    ];
    for (from, to, place, meaning) in cases {
        let error = error(&changed(from, to));
        let text = error.to_string();
        assert!(text.contains(place) && text.contains(meaning), "{from} -> {to}: {text}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn missing_and_foreign_files_are_told() {
    for file in ["model.onnx", "tokenizer.json", "classifier.toml"] {
        let folder = changed("schema = 1", "schema = 1");
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = error(&folder);
        assert!(matches!(&error, TextModelError::Read { file: named, .. } if named.ends_with(file)), "{error}");
    }
    // A file that is what the description says, and no model.
    let description = fs::read_to_string(tiny().join("classifier.toml")).unwrap();
    let hash = description.split("\"model.onnx\" = \"").nth(1).unwrap()[..64].to_string();
    let folder = changed(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    fs::write(folder.path().join("model.onnx"), b"").unwrap();
    assert!(matches!(error(&folder), TextModelError::Runtime(_)));
}
