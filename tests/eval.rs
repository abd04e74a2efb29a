//! Measurements: `eval speech` counts what an independent count gives, its JSON keeps its shape; throughput and shapes run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use callmark_core::accuracy::units;
use callmark_core::recording::Language;
use serde_json::Value;

use crate::harness::{Place, project};
use crate::models::sha256;

/// Edit distance of two rows, nothing else.
fn levenshtein(a: &[String], b: &[String]) -> u64 {
    let mut table = vec![vec![0u64; b.len() + 1]; a.len() + 1];
    for (i, row) in table.iter_mut().enumerate() {
        row[0] = i as u64;
    }
    table[0] = (0..=b.len() as u64).collect();
    for i in 0..a.len() {
        for j in 0..b.len() {
            let replaced = table[i][j] + u64::from(a[i] != b[j]);
            table[i + 1][j + 1] = replaced.min(table[i][j + 1] + 1).min(table[i + 1][j] + 1);
        }
    }
    table[a.len()][b.len()]
}

/// 16-bit mono at 8 kHz.
fn write_wav(path: &Path, samples: &[i16]) {
    let size = 2 * samples.len() as u32;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8_000u32.to_le_bytes());
    bytes.extend(16_000u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
    fs::write(path, bytes).expect("writable");
}

/// What one role said according to the JSON of an analysis.
fn said(analysis: &Value, participant: &str) -> Vec<String> {
    let turns = analysis["Transcript"].as_array().expect("turns");
    let turns = turns.iter().filter(|turn| turn["ParticipantRole"] == participant);
    let text: Vec<&str> = turns.map(|turn| turn["Content"].as_str().expect("text")).collect();
    units(&text.join(" "), Language::En)
}

/// The same according to a reference.
fn referred(path: &Path, role: &str) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a reference");
    let mark = format!("<v {role}>");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(mark.as_str())).collect();
    units(&lines.join(" "), Language::En)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn row<'a>(set: &'a Value, kind: &str, group: &str) -> &'a Value {
    let found = set["groups"].as_array().expect("groups").iter().find(|r| r["kind"] == kind && r["group"] == group);
    found.unwrap_or_else(|| panic!("no {kind} {group} in {set}"))
}

fn errors(row: &Value) -> u64 {
    ["substitutions", "deletions", "insertions"].iter().map(|key| row[key].as_u64().expect("a count")).sum()
}

#[test]
fn two_speakers_of_a_mono_call_are_told_apart() {
    let (place, samples) = (Place::new(), project().join("sample-audio"));
    let set = place.folder.path().join("stereo");
    fs::create_dir(&set).expect("a folder");
    for file in ["T-1004.wav", "T-1007.wav", "T-1009.wav", "S-2009.wav"] {
        fs::copy(samples.join(file), set.join(file)).expect("copied");
    }
    let arguments = ["eval", "speakers", "--mix", "--json", set.to_str().expect("UTF-8")];
    let first = place.run(&arguments).expect(0).json();
    let der = first[0]["der"].as_f64().expect("a rate");
    // One speaker for everybody would be wrong in a third of the time.
    assert!(der < 0.12, "{der}");
    let two = |judged: &&Value| judged["two"] == true;
    assert_eq!(first[0]["recordings"].as_array().expect("recordings").iter().filter(two).count(), 4);
    let again = place.run(&arguments).expect(0).json();
    assert_eq!(first[0]["recordings"], again[0]["recordings"], "the same every time");
    // The sound's own features do, too, less well.
    let without = place.run(&[&arguments[..], &["--set", "speaker_encoder=none"]].concat()).expect(0).json();
    assert!(without[0]["der"].as_f64().expect("a rate") < 0.12, "{without}");
    assert_ne!(without[0]["recordings"], first[0]["recordings"], "another way to tell them apart");
    // A recording with one channel cannot be mixed.
    let mono = place.folder.path().join("mono");
    fs::create_dir(&mono).expect("a folder");
    fs::copy(samples.join("S-2008.wav"), mono.join("S-2008.wav")).expect("copied");
    let refused = place.run(&["eval", "speakers", "--mix", mono.to_str().expect("UTF-8")]).expect(2);
    assert!(refused.stderr.contains("not two"), "{}", refused.stderr);
}

#[test]
fn talk_at_once_in_a_mono_call_is_marked() {
    let place = Place::new();
    let set = place.folder.path().join("at-once");
    fs::create_dir(&set).expect("a folder");
    for file in ["T-1004.wav", "T-1007.wav", "T-1009.wav", "S-2009.wav"] {
        let bytes = fs::read(project().join("sample-audio").join(file)).expect("a recording");
        let audio = callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).expect("it decodes");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: audio.sample_rate_hz,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(set.join(file), spec).expect("created");
        // The second side comes in 1.6 s early, every time: the truth of `--mix` reaches a little beyond the voice, which would weigh too much
        // in shorter overlaps.
        let early = audio.sample_rate_hz as usize * 8 / 5;
        for (first, second) in audio.channels[0].iter().zip(&audio.channels[1][early..]) {
            writer.write_sample(*first).expect("written");
            writer.write_sample(*second).expect("written");
        }
        writer.finalize().expect("written");
    }
    let arguments = ["eval", "speakers", "--mix", "--json", set.to_str().expect("UTF-8")];
    let measure = |more: &[&str], name: &str| {
        let judged = place.run(&[&arguments[..], more].concat()).expect(0).json();
        assert_eq!(judged[0]["recordings"].as_array().expect("recordings").len(), 4);
        judged[0]["overlap"][name]["value"].as_f64().expect("a share")
    };
    let without = ["--set", "overlap_detector=none"];
    assert!(measure(&[], "precision") > 0.8 && measure(&[], "recall") > 0.45);
    // By the sound's own features little is found.
    assert!(measure(&without, "recall") < 0.6 * measure(&[], "recall"));
}

#[test]
fn one_voice_is_not_surely_taken_for_two() {
    let place = Place::new();
    let set = place.folder.path().join("sides");
    fs::create_dir(&set).expect("a folder");
    for file in ["T-1004", "T-1007", "T-1009", "S-2009"] {
        let bytes = fs::read(project().join(format!("sample-audio/{file}.wav"))).expect("a recording");
        let audio = callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).expect("it decodes");
        for (side, channel) in audio.channels.iter().enumerate() {
            let name = format!("{file}-{side}");
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: audio.sample_rate_hz,
                bits_per_sample: 32,
                sample_format: hound::SampleFormat::Float,
            };
            let mut writer = hound::WavWriter::create(set.join(format!("{name}.wav")), spec).expect("created");
            channel.iter().for_each(|sample| writer.write_sample(*sample).expect("written"));
            writer.finalize().expect("written");
            let end_ms = audio.duration_ms();
            let turn = format!(r#"{{"role": "rep", "begin_ms": 0, "end_ms": {end_ms}, "text": ""}}"#);
            let reference = format!(r#"{{"language": "en", "turns": [{turn}]}}"#);
            fs::write(set.join(format!("{name}.reference.json")), reference).expect("written");
        }
    }
    let judged = place.run(&["eval", "speakers", "--json", set.to_str().expect("UTF-8")]).expect(0).json();
    let recordings = judged[0]["recordings"].as_array().expect("recordings");
    assert_eq!(recordings.len(), 8);
    let split: Vec<_> = recordings.iter().filter(|judged| judged["two"] == true).collect();
    // One of the eight changes enough to be taken for two, too unsurely for a score; by the features alone three are, surely.
    let sure = |judged: &&&serde_json::Value| judged["confidence_permille"].as_u64() >= Some(800);
    assert!(split.len() <= 1 && split.iter().find(sure).is_none(), "{split:?}");
}

#[test]
fn eval_speech_counts_what_the_run_heard() {
    const CALLS: [&str; 2] = ["T-1009", "T-1004"];
    let (place, samples) = (Place::new(), project().join("sample-audio"));
    let set = place.folder.path().join("two calls");
    fs::create_dir_all(set.join("references")).expect("a folder");
    fs::copy(samples.join("voices.csv"), set.join("voices.csv")).expect("copied");
    for call in CALLS {
        fs::copy(samples.join(format!("{call}.wav")), set.join(format!("{call}.wav"))).expect("copied");
        let reference = format!("references/{call}.vtt");
        fs::copy(samples.join(&reference), set.join(&reference)).expect("copied");
    }
    let silence = place.folder.path().join("silence");
    fs::create_dir(&silence).expect("a folder");
    write_wav(&silence.join("quiet.wav"), &[0; 24_000]);
    fs::write(silence.join("quiet.reference.json"), r#"{"language": "en", "turns": []}"#).expect("written");
    let out = place.folder.path().join("result.json");
    let arguments = ["eval", "speech", set.to_str().expect("UTF-8"), silence.to_str().expect("UTF-8")];
    let more = ["--jobs", "2", "--json", "--out", out.to_str().expect("UTF-8")];
    let result = place.run(&[&arguments[..], &more[..]].concat()).expect(0).json();
    let written: Value = serde_json::from_slice(&fs::read(&out).expect("a file")).expect("JSON");
    assert_eq!(written, result);
    let (calls, quiet) = (&result["sets"][0], &result["sets"][1]);
    assert_eq!((calls["set"].as_str(), quiet["set"].as_str()), (Some("two calls"), Some("silence")));

    // The same calls through `run`, compared by other code.
    let files = CALLS.map(|call| set.join(format!("{call}.wav")));
    let metadata = samples.join("metadata.csv");
    let more = ["--jobs", "2", "--set", "redaction.entities=[]", "--metadata", metadata.to_str().expect("UTF-8")];
    place.run_on(&files.iter().map(|f| f.as_path()).collect::<Vec<_>>(), &more).expect(0);
    let (mut all, mut words) = (0, 0);
    for (role, participant) in [("Rep", "AGENT"), ("Customer", "CUSTOMER")] {
        let (mut distance, mut count) = (0, 0);
        for call in CALLS {
            let reference = referred(&set.join(format!("references/{call}.vtt")), role);
            distance += levenshtein(&reference, &said(&place.analysis(call), participant));
            count += reference.len() as u64;
        }
        let row = row(calls, "role", &role.to_lowercase());
        assert_eq!((errors(row), row["units"].as_u64()), (distance, Some(count)), "{role}");
        (all, words) = (all + distance, words + count);
    }
    let row = row(calls, "all", "all");
    assert_eq!((errors(row), row["units"].as_u64(), row["recordings"].as_u64()), (all, Some(words), Some(2)));
    assert!(words > 100, "{words}");
    let stored =
        place.run(&["eval", "wer", set.join("references").to_str().expect("UTF-8"), "--json"]).expect(0).json();
    let stored = stored.as_array().expect("rows").iter().find(|row| row["group"] == "all").expect("a row of all");
    assert_eq!((errors(stored), stored["words"].as_u64()), (all, Some(words)));

    for row in calls["groups"].as_array().expect("groups").iter().chain([stored]) {
        let number = |key: &str| row[key].as_f64().expect("a number");
        let rate = number("error_rate");
        assert!(number("low") <= rate && rate <= number("high"), "{row}");
    }
    assert_eq!(row["resampled"], "turns");
    assert_eq!(quiet["invented"]["words"], 0);
    assert_eq!(quiet["invented"]["seconds"], 3.0);
    assert_eq!(calls["diarization"]["role_accuracy"], 1.0);
    assert!(calls["diarization"]["error_rate"].as_f64().expect("a rate") < 0.2);
    let confident = &calls["confidence"]["words"];
    assert_eq!(confident["bins"].as_array().map(Vec::len), Some(10));
    assert!(confident["area_under_curve"].as_f64().expect("an area") > 0.6);
    assert!(calls["speed"]["recognise"]["cpu_per_audio_second"].as_f64().expect("seconds") > 0.0);

    let expected: BTreeSet<&str> =
        "schema program_version model model_sha256 lanes intervals sets peak_memory_bytes".split(' ').collect();
    assert_eq!(keys(&result), expected);
    let expected: BTreeSet<&str> =
        "set measure audio_seconds speech_share groups word_times lost dropped invented diarization \
        confidence speed recordings failed"
            .split_whitespace()
            .collect();
    assert_eq!(keys(calls), expected);
    // Nothing that was said, unless it is asked for.
    assert!(!written.to_string().to_lowercase().contains("recorded"), "{written}");
    let shown = place.run(&[&arguments[..], &["--jobs", "2", "--show-errors", "3"]].concat()).expect(0);
    assert!(shown.stdout.contains("Most frequent errors in two calls"), "{}", shown.stdout);
}

#[test]
fn a_folder_without_references_is_refused() {
    let place = Place::new();
    let refused = place.run(&["eval", "speech", place.folder.path().to_str().expect("UTF-8")]).expect(3);
    assert!(refused.stderr.contains("hint:"), "{}", refused.stderr);
}

#[test]
fn throughput_is_measured_on_the_program_itself() {
    let place = Place::new();
    let arguments = ["bench", "throughput", "--calls", "2", "--lanes", "1,2", "--repeat", "1", "--json", "--quiet"];
    let report = place.run(&arguments).expect(0).json();
    assert_eq!((report["recordings"].as_u64(), report["rows"].as_array().map(Vec::len)), (Some(2), Some(2)));
    let share = report["speech_share"].as_f64().expect("a share");
    assert!((0.2..1.9).contains(&share), "{share}");
    for row in report["rows"].as_array().expect("rows") {
        let median = |key: &str| row[key]["median"].as_f64().expect("a median");
        assert!(median("call_hours_per_hour") > 1.0, "{row}");
        let stages = row["stage_cpu_seconds_per_audio_hour"].as_object().expect("stages");
        let sum: f64 = stages.values().map(|stage| stage["median"].as_f64().expect("a median")).sum();
        // The stages are part of what the processes took.
        assert!(sum > 0.0 && sum <= 1.05 * median("cpu_seconds_per_audio_hour"), "{row}");
        assert!(row["peak_worker_bytes"].as_u64().expect("bytes") > 50_000_000, "{row}");
        assert!(row["peak_program_bytes"].as_u64().expect("bytes") > 5_000_000, "{row}");
    }
}

#[test]
fn a_shape_is_measured_without_its_model() {
    let place = Place::new();
    let report =
        place.run(&["bench", "shape", "tiny.en", "--weights", "q5_1", "--seconds", "2", "--json"]).expect(0).json();
    let number = |key: &str| report[key].as_f64().unwrap_or_else(|| panic!("{key} in {report}"));
    assert!(number("seconds_per_speech_hour") > number("encoder_seconds_per_speech_hour"), "{report}");
    // As large as OpenAI's tiny.en in q5_1 (about 32 MB), and in memory about as large as in the file.
    assert!((30e6..34e6).contains(&number("file_bytes")), "{report}");
    assert!((0.8..1.5).contains(&(number("weights_bytes") / number("file_bytes"))), "{report}");
    assert!(number("lane_bytes") > 10e6, "{report}");
    let unknown = place.run(&["bench", "shape", "huge"]).expect(3);
    assert!(unknown.stderr.contains("large-v3-turbo"), "{}", unknown.stderr);
}

/// The held-out call sentences of both languages, as the model cards report them; misheard; a table with roles; what is wrong in a file.
#[test]
fn sentiment_is_measured_on_labelled_texts() {
    let place = Place::new();
    let folder = place.folder.path();
    for (recipe, accuracy) in [("sentiment_en", 0.907), ("text_zh", 0.893)] {
        let data = project().join(format!("models/training/{recipe}/data/call_heldout.tsv"));
        let svg = folder.join("reliability.svg");
        let measured = |more: &[&str]| {
            let arguments =
                ["eval", "classifiers", "--json", "--data", data.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
            place.run(&[&arguments, more].concat()).expect(0).json()["groups"][0][1].clone()
        };
        let all = measured(&[]);
        assert_eq!(all["n"], 150);
        assert!(
            (all["accuracy"].as_f64().unwrap() - accuracy).abs() < 0.001,
            "{recipe}: the card says {accuracy}: {}",
            all["accuracy"]
        );
        assert!(all["majority_macro_f1"].as_f64().unwrap() < 0.3);
        let by_chance = |key: &str| all["calibration"]["error_by_chance"][key].as_f64().unwrap();
        assert!(0.0 < by_chance("mean") && by_chance("mean") < by_chance("most") && by_chance("most") < 0.2);
        assert!(all["macro_f1_interval"]["low"].as_f64().unwrap() > 0.8);
        assert!(std::fs::read_to_string(&svg).unwrap().contains("<circle"));
        let misheard = measured(&["--error-permille", "300"]);
        assert!(misheard["accuracy"].as_f64().unwrap() < accuracy, "noise costs something");
    }
    let table = folder.join("t.csv");
    std::fs::write(&table, "role,label,text\ncustomer,Negative,\"no, this is terrible\"\nrep,positive,wonderful\n")
        .unwrap();
    let shown = place.run(&["eval", "classifiers", "--data", table.to_str().unwrap()]).expect(0).stdout;
    assert!(["customer", "macro-F1", "by chance alone"].iter().all(|part| shown.contains(part)), "{shown}");
    std::fs::write(&table, "label,text\nangry,secret words\n").unwrap();
    let refused = place.run(&["eval", "classifiers", "--data", table.to_str().unwrap()]).expect(3).stderr;
    assert!(refused.contains("t.csv:2") && !refused.contains("secret"), "{refused}");
    for nothing in ["", "# a remark\n", "label,text\n"] {
        std::fs::write(&table, nothing).unwrap();
        let refused = place.run(&["eval", "classifiers", "--data", table.to_str().unwrap()]).expect(3).stderr;
        assert!(refused.contains("t.csv holds no labelled text"), "{nothing:?}: {refused}");
    }
    // Through a pipe, which can be read once.
    let mut command = place.command(&["eval", "classifiers", "--data", "/dev/stdin"]);
    let mut piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"positive\twonderful\n").unwrap();
    let shown = String::from_utf8(piped.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("macro-F1"), "{shown}");
}

/// The test calls of the recipe of acts as a table for `eval acts`: calls whose name says so by its third letter or its hash
/// (models/training/acts/common.py).
fn test_calls_of_acts(language: &str) -> String {
    let data = project().join(format!("models/training/acts/data/{language}.tsv"));
    let text = std::fs::read_to_string(data).unwrap();
    let is_test = |call: &str| {
        call.as_bytes()[2] == b'y' || u32::from_str_radix(&sha256(call.as_bytes())[..8], 16).unwrap() % 100 >= 80
    };
    let mut table = "call\trole\ttext\tacts\n".to_string();
    for line in text.lines().skip(1) {
        let [turn, role, text, _, _, acts] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let call = turn.split('.').next().unwrap();
        // Two acts of that list are none of the program's.
        let acts: Vec<&str> = acts.split(',').filter(|act| !["request", "question"].contains(act)).collect();
        if is_test(call) {
            table += &format!("{call}\t{role}\t{text}\t{}\n", acts.join(","));
        }
    }
    table
}

/// The test calls of both languages, as the model cards report the acts that are the model's; insults alone; what is wrong in a file.
#[test]
fn acts_are_measured_on_labelled_calls() {
    let place = Place::new();
    let table = place.folder.path().join("acts.tsv");
    let measured = |more: &[&str]| {
        let arguments = ["eval", "acts", "--json", "--data", table.to_str().unwrap()];
        place.run(&[&arguments, more].concat()).expect(0).json()["languages"].clone()
    };
    type Card<'a> = (&'a str, u64, &'a [(&'a str, f64)]);
    let cards: [Card; 2] = [
        (
            "en",
            1119,
            &[
                ("greeting", 0.835),
                ("self_introduction", 0.854),
                ("recording_disclosure", 0.800),
                ("price_mention", 0.702),
                ("hold_request", 0.696),
                ("next_step", 0.777),
                ("closing", 0.870),
                ("thanks", 0.892),
            ],
        ),
        (
            "zh",
            981,
            &[
                ("greeting", 0.909),
                ("self_introduction", 0.889),
                ("recording_disclosure", 0.857),
                ("apology", 0.811),
                ("hold_request", 0.846),
                ("hold_return", 0.571),
                ("next_step", 0.795),
                ("closing", 0.833),
                ("thanks", 0.846),
            ],
        ),
    ];
    for (language, turns, expected) in cards {
        std::fs::write(&table, test_calls_of_acts(language)).unwrap();
        let found = measured(&[])[language].clone();
        let result = &found["result"];
        assert_eq!(result["turns"], turns);
        let f1 = |act: &str| {
            let acts = result["acts"].as_array().unwrap();
            acts.iter().find(|row| row["act"] == act).unwrap()["f1"].as_f64().unwrap()
        };
        for &(act, written) in expected {
            assert!(found["acts_by_model"].as_array().unwrap().contains(&act.into()), "{act}");
            assert!((f1(act) - written).abs() < 0.001, "{language} {act}: the card says {written}: {}", f1(act));
        }
        let interval = &result["macro_f1_interval"];
        let bound = |end: &str| interval[end].as_f64().unwrap();
        assert!(bound("low") < result["macro_f1"].as_f64().unwrap() && bound("low") < bound("high"));
        let misheard = measured(&["--error-permille", "400"])[language]["result"]["macro_f1"].as_f64().unwrap();
        assert!(misheard < result["macro_f1"].as_f64().unwrap(), "noise costs something");
    }

    let insults = "role,text,acts\nrep,\"You are a stupid, lying idiot.\",insult\ncustomer,Thank you.,none\ncustomer,You dirty pig.,insult\n";
    std::fs::write(&table, insults).unwrap();
    let shown = place.run(&["eval", "acts", "--data", table.to_str().unwrap()]).expect(0).stdout;
    assert!(shown.contains("insult") && shown.contains("model") && !shown.contains("thanks"), "{shown}");
    // As a spreadsheet writes it; a call in Chinese that begins with "OK"; acts of the other side; false alarms where nothing is labelled.
    let sheet = "\u{feff}\"Call\",\"Role\",\"Text\",\"Acts\"\r\n#7,Rep,OK,\r\n#7,Customer,谢谢您，再见。,\"Closing, thanks\"\r\n";
    std::fs::write(&table, sheet).unwrap();
    let found = place.run(&["eval", "acts", "--json", "--data", table.to_str().unwrap()]).expect(0).json();
    assert_eq!((&found["languages"]["zh"]["result"]["calls"], &found["labels_of_other_side"]), (&1.into(), &1.into()));
    let alarms = measured(&["--acts", "Insult"])["zh"]["result"].clone();
    assert_eq!((&alarms["macro_f1"], &alarms["acts"][0]["n"]), (&Value::Null, &0.into()));
    for (wrong, told) in [
        ("role,text,acts\nrep,words,a secret\n", "acts.tsv:2: the column `acts` names something else"),
        ("role,text,acts\ncustomer,No, secret,price_objection\n", "acts.tsv:2: more cells than columns"),
        ("text,acts\nsecret words,insult\n", "acts.tsv:2: the role is neither rep nor customer"),
        ("text,label\nsecret words,insult\n", "no columns `text` and `acts`"),
        ("role,text,acts,language\nrep,secret,,de\n", "acts.tsv:2: the language is neither"),
        ("call,role,text,acts\na,rep,secret,\nb,rep,secret,\na,rep,secret,\n", "acts.tsv:4: this call ended before"),
    ] {
        std::fs::write(&table, wrong).unwrap();
        let refused = place.run(&["eval", "acts", "--data", table.to_str().unwrap()]).expect(3).stderr;
        assert!(refused.contains(told) && !refused.contains("secret"), "{refused}");
    }
}
