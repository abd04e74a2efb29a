//! A sentiment classifier of a site's own: added by the command, chosen by the configuration, seen in the record, removed again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::acts::{IN_CONTEXT, with_sentiment};
use crate::harness::{Place, Ran, project};
use crate::models::{files, own_models, refused, sha256};

const NAME: &str = "tiny-stars";
const CHOSEN: [&str; 2] = ["--set", "sentiment_classifier.en=tiny-stars"];

const ENGLISH: &str = "Rep: Thank you for calling, this is Anna. This call is recorded for quality.\n\
    Customer: Terrible, ridiculous, nobody!\nRep: I am sorry to hear that. Could you confirm your date of birth?\n\
    Customer: It is my account number.\nRep: Is there anything else I can help you with?\n\
    Customer: Great but terrible.\nRep: All right then.\nCustomer: Wonderful, thank you, great!\n";
const CHINESE: &str =
    "客服：您好，这里是客服中心。\n客户：太过分了，我要投诉。\n客服：请问您的出生日期？\n客户：五月一号。\n";

/// The classifier that models/tests/data/classifier/make.py made.
fn tiny() -> PathBuf {
    project().join("models/tests/data/classifier")
}

fn add(place: &Place, folder: &std::path::Path) -> Ran {
    place.run(&["models", "add", "--classifier", folder.to_str().unwrap()])
}

/// A place with an English and a Chinese call.
fn calls() -> Place {
    let place = Place::new();
    fs::create_dir(place.folder.path().join("night")).unwrap();
    fs::write(place.folder.path().join("night/en.txt"), ENGLISH).unwrap();
    fs::write(place.folder.path().join("night/zh.txt"), CHINESE).unwrap();
    place
}

fn run(place: &Place, more: &[&str]) -> Ran {
    place.run_on(&[&place.folder.path().join("night")], more)
}

/// The customer's sentiment turn by turn, -5 to 5; empty where nothing is said about it.
fn felt(place: &Place, language: &str) -> Vec<String> {
    let calls = place.table("calls.csv");
    let call = calls.iter().find(|call| call["language"] == language).unwrap();
    let turns = place.table("turns.csv").into_iter();
    let of_customer = turns.filter(|turn| turn["call_id"] == call["call_id"] && turn["role"] == "customer");
    of_customer.map(|turn| turn["sentiment"].clone()).collect()
}

fn models_of(place: &Place, language: &str) -> BTreeMap<String, String> {
    let calls = place.table("calls.csv");
    let call = calls.iter().find(|call| call["language"] == language).unwrap();
    serde_json::from_value(place.analysis(&call["call_id"])["Qa"]["provenance"]["models"].clone()).unwrap()
}

#[test]
fn a_classifier_of_your_own_reads_the_sentiment_until_it_is_removed() {
    let place = calls();
    run(&place, &[]).expect(0);
    let (before, felt_before) = (place.outputs(), felt(&place, "en"));
    assert_eq!(models_of(&place, "en").keys().collect::<Vec<_>>(), ["encoder"]);

    let added = add(&place, &tiny()).expect(0);
    assert!(added.stdout.starts_with("tiny-stars: added"), "{}", added.stdout);
    assert!(added.stderr.contains("--set sentiment_classifier.zh=tiny-stars"), "{}", added.stderr);
    assert!(add(&place, &tiny()).expect(0).stdout.contains("was there already"));
    let row = |ran: Ran| ran.json().as_array().unwrap().iter().find(|row| row["name"] == NAME).cloned().unwrap();
    let listed = row(place.run(&["models", "list", "--json"]).expect(0));
    assert_eq!((&listed["kind"], &listed["used"]), (&"sentiment_classifier".into(), &false.into()));
    let listed = row(place.run(&[&["models", "list", "--json"][..], &CHOSEN].concat()).expect(0));
    assert_eq!((&listed["used"], &listed["licence"]), (&true.into(), &"Apache-2.0".into()));
    let size: u64 = ["model.onnx", "tokenizer.json", "classifier.toml"]
        .map(|file| fs::metadata(tiny().join(file)).unwrap().len())
        .iter()
        .sum();
    assert_eq!(listed["bytes"], size);
    assert_eq!(row(place.run(&["models", "verify", "--json"]).expect(0))["ok"], true);
    // That it is there changes nothing yet.
    run(&place, &[]).expect(0);
    assert_eq!(place.outputs(), before);

    run(&place, &CHOSEN).expect(0);
    let (with, felt_with) = (place.outputs(), felt(&place, "en"));
    let points: Vec<Option<f64>> = felt_with.iter().map(|cell| cell.parse().ok()).collect();
    let [Some(angry), Some(plain), None, Some(glad)] = points[..] else {
        panic!("the third turn is uncertain, and only that: {felt_with:?}");
    };
    assert!(angry < -4.0 && plain.abs() < 0.5 && glad > 4.0, "{felt_with:?}");
    assert_ne!(felt_with, felt_before);
    let hash = sha256(&fs::read(tiny().join("classifier.toml")).unwrap());
    assert_eq!(models_of(&place, "en")["sentiment_classifier"], hash);
    assert_eq!(models_of(&place, "zh").keys().collect::<Vec<_>>(), ["encoder"], "it was chosen for English only");
    run(&place, &CHOSEN).expect(0);
    assert_eq!(place.outputs(), with);
    let diagnosis = place.run(&[&["doctor"][..], &CHOSEN].concat());
    assert!(diagnosis.stdout.contains("tiny-stars, `en`: SHA-256 is right"), "{}", diagnosis.stdout);

    // Scoring again notices which classifier it is, in either direction, and has nothing to do the second time.
    let out = place.out();
    let score = |more: &[&str]| {
        let ran = place.run(&[&["score", "--json", "--out", out.to_str().unwrap()], more].concat()).expect(0);
        ran.json()["changed"].as_u64().unwrap()
    };
    assert_eq!(score(&CHOSEN), 0);
    assert_eq!((score(&[]), score(&[])), (1, 0));
    assert_eq!(models_of(&place, "en").keys().collect::<Vec<_>>(), ["encoder"]);
    assert_eq!((score(&CHOSEN), score(&CHOSEN)), (1, 0));
    assert_eq!(models_of(&place, "en")["sentiment_classifier"], hash);

    refused(&place.run(&["models", "rm", NAME]), &["--yes"]);
    let removed = place.run(&[&["models", "rm", NAME, "--yes"][..], &CHOSEN].concat()).expect(0);
    assert!(removed.stderr.contains("sentiment_classifier.en"), "{}", removed.stderr);
    assert!(fs::read_dir(own_models(&place).join("added")).unwrap().next().is_none());
    assert!(!own_models(&place).join("models.toml").exists());
    refused(&run(&place, &CHOSEN), &["sentiment_classifier.en", NAME, "models list"]);
    run(&place, &[]).expect(0);
    assert_eq!(felt(&place, "en"), felt_before);
    assert_eq!(place.outputs(), before, "the old is back, byte by byte");
}

/// Nobody measured it with regard to neighbours.
#[test]
fn a_classifier_reads_each_turn_alone_whatever_the_own_model_does() {
    let place = calls();
    add(&place, &tiny()).expect(0);
    let (night, out) = (place.folder.path().join("night"), place.out());
    let felt_with = |table: &str, more: &[&str]| {
        let home = with_sentiment(table);
        let run = ["run", night.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = place.command(&[&run[..], more].concat()).env("CALLMARK_HOME", home.path()).output().unwrap();
        Ran::new(output).expect(0);
        felt(&place, "en")
    };
    assert_ne!(felt_with(IN_CONTEXT, &[]), felt_with("", &[]));
    assert_eq!(felt_with(IN_CONTEXT, &CHOSEN), felt_with("", &CHOSEN));
}

#[test]
fn labelled_texts_measure_the_classifier_that_is_chosen() {
    let place = Place::new();
    add(&place, &tiny()).expect(0);
    let labelled = place.folder.path().join("labelled.tsv");
    fs::write(&labelled, "positive\twonderful perfect\nnegative\tterrible cancel\nneutral\tmy account number\n")
        .unwrap();
    let eval = ["eval", "classifiers", "--json", "--data", labelled.to_str().unwrap()];
    let report = place.run(&[&eval[..], &CHOSEN].concat()).expect(0).json();
    assert_eq!(report["groups"][0][1]["accuracy"], 1.0, "{report}");
    let hash = sha256(&fs::read(tiny().join("classifier.toml")).unwrap());
    assert_eq!(report["models"]["en"], hash);
    let own = place.run(&eval).expect(0).json();
    assert_ne!(own["models"]["en"], hash);
}

#[test]
fn a_folder_in_which_something_is_wrong_is_not_added() {
    let place = Place::new();
    let description = fs::read_to_string(tiny().join("classifier.toml")).unwrap();
    let bad = |from: &str, to: &str, without: &str| {
        let folder = tempfile::tempdir_in(place.folder.path()).unwrap();
        for file in ["model.onnx", "tokenizer.json"].into_iter().filter(|file| *file != without) {
            fs::copy(tiny().join(file), folder.path().join(file)).unwrap();
        }
        assert!(description.contains(from), "{from}");
        fs::write(folder.path().join("classifier.toml"), description.replacen(from, to, 1)).unwrap();
        add(&place, folder.path())
    };
    refused(&bad("means = \"negative\"", "means = \"bad\"", ""), &["classifier.toml", "`bad`", "docs/classifiers.md"]);
    refused(&bad("", "", "tokenizer.json"), &["tokenizer.json", "copy the whole folder"]);
    refused(&bad("\"model.onnx\" = \"", "\"model.onnx\" = \"0", ""), &["SHA-256", "sha256sum"]);
    refused(&bad("positive = 0.", "positive = 0.9", ""), &["hint"]);
    refused(&bad("temperature = 1.3", "temperature = 2.0", ""), &["golden example 1", "temperature"]);
    refused(&bad("input_ids = \"input_ids\"", "input_ids = \"ids\"", ""), &["no input `ids`", "`input_ids`"]);
    refused(&add(&place, &place.folder.path().join("none")), &["none/classifier.toml"]);
    assert!(!own_models(&place).exists(), "nothing was copied");
    // Of what is added later, damage is found, told, and mended by adding it again.
    add(&place, &tiny()).expect(0);
    assert_eq!(files(&place), ["added"]);
    refused(&bad("licence = \"Apache-2.0\"", "licence = \"MIT\"", ""), &["another model named tiny-stars"]);
    let copy = own_models(&place).join("added/tiny-stars/tokenizer.json");
    fs::write(&copy, "{}").unwrap();
    let verified = place.run(&["models", "verify", NAME]).expect(2);
    assert!(verified.stderr.contains("SHA-256") && verified.stderr.contains("tokenizer.json"), "{}", verified.stderr);
    fs::write(place.folder.path().join("en.txt"), ENGLISH).unwrap();
    let call = place.folder.path().join("en.txt");
    refused(&place.run_on(&[&call], &CHOSEN), &["tokenizer.json", "copy the file again"]);
    add(&place, &tiny()).expect(0);
    place.run(&["models", "verify", NAME]).expect(0);
    place.run_on(&[&call], &CHOSEN).expect(0);
    // For a language that it was not made for it is not taken.
    let english = tempfile::tempdir_in(place.folder.path()).unwrap();
    for file in ["model.onnx", "tokenizer.json"] {
        fs::copy(tiny().join(file), english.path().join(file)).unwrap();
    }
    let only = description.replace("[\"en\", \"zh\"]", "[\"en\"]").replace(NAME, "english");
    fs::write(english.path().join("classifier.toml"), only).unwrap();
    add(&place, english.path()).expect(0);
    refused(&place.run_on(&[&call], &["--set", "sentiment_classifier.zh=english"]), &["not made for `zh`"]);
}
