//! One recording per side of a call: the two become the call that a stereo recording would have been.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Place, project};

fn sample() -> callmark_audio::Audio {
    let bytes = std::fs::read(project().join("sample-audio/T-1004.wav")).unwrap();
    callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).unwrap()
}

/// A channel of the sample call as a mono file, from a moment on.
fn side(folder: &Path, name: &str, channel: usize, from_ms: usize) -> PathBuf {
    let audio = sample();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: audio.sample_rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let path = folder.join(name);
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for sample in &audio.channels[channel][from_ms * audio.sample_rate_hz as usize / 1000..] {
        writer.write_sample((sample * 32_768.0).round() as i16).unwrap();
    }
    writer.finalize().unwrap();
    path
}

/// Who said what, when.
fn turns(analysis: &Value) -> Vec<(String, i64, String)> {
    let turns = analysis["Transcript"].as_array().unwrap().iter();
    let text = |turn: &Value, key: &str| turn[key].as_str().unwrap().to_string();
    turns
        .map(|turn| (text(turn, "ParticipantRole"), turn["BeginOffsetMillis"].as_i64().unwrap(), text(turn, "Content")))
        .collect()
}

#[test]
fn two_sides_are_scored_as_the_stereo_call() {
    let stereo = Place::new();
    stereo.run_on(&[&project().join("sample-audio/T-1004.wav")], &[]).expect(0);
    let expected = stereo.table("calls.csv").remove(0);
    let expected_turns = turns(&stereo.analysis(&expected["call_id"]));
    assert!(expected_turns.len() > 4);

    let place = Place::new();
    let folder = place.folder.path().join("night");
    std::fs::create_dir(&folder).unwrap();
    // The rep's side came first, alone: a call of its own.
    let rep = side(&folder, "7_agent.wav", 0, 0);
    place.run_on(&[&rep], &[]).expect(0);
    assert_eq!(place.table("calls.csv").len(), 1);
    side(&folder, "7_caller.wav", 1, 0);
    std::fs::write(folder.join("metadata.csv"), "file,rep_id\n7_agent.wav,r1\n").unwrap();
    let report = place.run_on(&[&folder], &[]).expect(0).json();
    assert_eq!((&report["transcribed"], &report["recordings"]), (&1.into(), &2.into()), "{report}");
    let calls = place.table("calls.csv");
    assert_eq!(calls.len(), 1, "both sides are one call: {calls:?}");
    let stored = place.run(&["reps", "--format", "csv"]).expect(0).stdout;
    assert_eq!(stored.matches("unassigned").count(), 0, "and the side alone is none any more: {stored}");
    for column in ["score", "status", "role_method", "rep_talk_permille", "duration_ms", "interruptions_rep"] {
        assert_eq!(calls[0][column], expected[column], "{column}");
    }
    assert_eq!((&*calls[0]["rep_id"], &*calls[0]["role_method"]), ("r1", "channel_map"));
    let analysis = place.analysis(&calls[0]["call_id"]);
    assert_eq!(turns(&analysis), expected_turns);
    assert_eq!(analysis["Qa"]["provenance"]["audio"].as_array().unwrap().len(), 2);
    let again = place.run_on(&[&folder], &[]).expect(0).json();
    assert_eq!((&again["transcribed"], &again["unchanged"]), (&0.into(), &1.into()), "{again}");
    let alone = place.run_on(&[&rep], &[]).expect(0).json();
    assert_eq!(alone["transcribed"], 0, "one side delivered again does not replace the call: {alone}");
    assert!(alone["warnings"].to_string().contains("one side of the call"), "{alone}");
}

#[test]
fn sides_without_names_get_their_roles_from_what_is_said() {
    let place = Place::new();
    let folder = place.folder.path().join("night");
    std::fs::create_dir(&folder).unwrap();
    side(&folder, "7-in.wav", 1, 0);
    side(&folder, "7-out.wav", 0, 0);
    place.run_on(&[&folder], &[]).expect(0);
    let calls = place.table("calls.csv");
    assert_eq!((calls.len(), &*calls[0]["role_method"], &*calls[0]["status"]), (1, "inferred", "scored"));
    let analysis = place.analysis(&calls[0]["call_id"]);
    let first = &turns(&analysis)[0];
    assert_eq!(first.0, "AGENT", "{first:?}");
}

#[test]
fn metadata_say_which_side_began_later() {
    let place = Place::new();
    let folder = place.folder.path().join("night");
    std::fs::create_dir(&folder).unwrap();
    side(&folder, "a.wav", 0, 0);
    side(&folder, "b.wav", 1, 1_200);
    let table = "file,call_id,side,offset_ms\na.wav,C-7,rep,\nb.wav,C-7,customer,1200\n";
    std::fs::write(folder.join("metadata.csv"), table).unwrap();
    place.run_on(&[&folder], &[]).expect(0);
    let stereo = Place::new();
    stereo.run_on(&[&project().join("sample-audio/T-1004.wav")], &[]).expect(0);
    let expected = turns(&stereo.analysis(&stereo.table("calls.csv")[0]["call_id"]));
    let found = turns(&place.analysis("C-7"));
    let last = |turns: &[(String, i64, String)]| turns.iter().rfind(|turn| turn.0 == "CUSTOMER").unwrap().clone();
    let (expected, found) = (last(&expected), last(&found));
    assert_eq!(expected.2, found.2);
    assert!((expected.1 - found.1).abs() <= 60, "{} or {} ms", expected.1, found.1);
}

#[test]
fn folders_may_say_the_side() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    for folder in ["customer", "agent"] {
        std::fs::create_dir_all(night.join(folder)).unwrap();
    }
    side(&night, "agent/7.wav", 0, 0);
    side(&night, "customer/7.wav", 1, 0);
    place.run_on(&[&night], &[]).expect(0);
    let calls = place.table("calls.csv");
    assert_eq!((calls.len(), &*calls[0]["role_method"], &*calls[0]["status"]), (1, "channel_map", "scored"));
}
