//! Recordings with more channels than two: everybody keeps a role of their own, and only the two sides are scored.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Place, project};

/// What a channel of the made recording holds.
#[derive(Clone, Copy)]
enum Holds {
    Rep,
    Customer,
    Nothing,
    /// The rep's first words: as a menu would say them.
    Greeting,
}

/// The sample call with its channels in another order, and more of them.
fn recording(folder: &Path, name: &str, channels: &[Holds]) -> PathBuf {
    let bytes = std::fs::read(project().join("sample-audio/T-1004.wav")).unwrap();
    let audio = callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).unwrap();
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: audio.sample_rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let path = folder.join(name);
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..audio.channels[0].len() {
        for channel in channels {
            let sample = match channel {
                Holds::Rep => audio.channels[0][frame],
                Holds::Customer => audio.channels[1][frame],
                Holds::Greeting if frame < 5 * audio.sample_rate_hz as usize => audio.channels[0][frame],
                Holds::Greeting | Holds::Nothing => 0.0,
            };
            writer.write_sample((sample * 32_768.0).round() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    path
}

fn said_by(analysis: &Value, participant: &str) -> Vec<String> {
    let turns = analysis["Transcript"].as_array().unwrap().iter();
    turns
        .filter(|turn| turn["ParticipantId"] == participant)
        .map(|turn| turn["Content"].as_str().unwrap().to_string())
        .collect()
}

/// Menu and supervisor say what the two sides say at the same moments: nothing of the evaluation may change.
#[test]
fn a_menu_and_a_supervisor_are_heard_and_count_for_nobody() {
    let stereo = Place::new();
    let two = recording(stereo.folder.path(), "two.wav", &[Holds::Rep, Holds::Customer]);
    stereo.run_on(&[&two], &[]).expect(0);
    let expected = stereo.table("calls.csv").remove(0);
    let two = stereo.analysis(&expected["call_id"]);

    let place = Place::new();
    let channels = [Holds::Greeting, Holds::Rep, Holds::Customer, Holds::Customer];
    let four = recording(place.folder.path(), "four.wav", &channels);
    let map = ["--channels", "ivr=0,rep=1,customer=2,supervisor=3"];
    place.run_on(&[&four], &map).expect(0);
    let call = place.table("calls.csv").remove(0);
    let differ = |column: &&String| call[*column] != expected[*column];
    assert_eq!(expected.keys().filter(differ).collect::<Vec<_>>(), ["call_id"]);
    let analysis = place.analysis(&call["call_id"]);
    assert_eq!(analysis["Qa"]["signals"], two["Qa"]["signals"]);
    for participant in ["AGENT", "CUSTOMER"] {
        assert_eq!(said_by(&analysis, participant), said_by(&two, participant));
    }
    let (menu, supervisor) = (said_by(&analysis, "IVR"), said_by(&analysis, "SUPERVISOR"));
    assert!(!menu.is_empty() && said_by(&two, "AGENT")[0].starts_with(&menu[0][..10]), "{menu:?}");
    assert_eq!(supervisor, said_by(&analysis, "CUSTOMER"));
    let roles = analysis["Participants"].to_string();
    assert!(roles.contains(r#""ParticipantRole":"SYSTEM""#), "{roles}");
    let begins: Vec<i64> = analysis["Transcript"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| turn["BeginOffsetMillis"].as_i64().unwrap())
        .collect();
    assert!(begins.is_sorted(), "everybody in order of time: {begins:?}");

    let id = &call["call_id"];
    let file = |ending: &str| std::fs::read_to_string(place.out().join(format!("{id}.{ending}"))).unwrap();
    assert!(file("vtt").contains("<v IVR>") && file("srt").contains("Supervisor: "));
    assert!(file("rttm").contains(" ivr ") && file("rttm").contains(" supervisor "));
    let roles: Vec<String> =
        place.table("turns.csv").into_iter().map(|mut turn| turn.remove("role").unwrap()).collect();
    assert_eq!(roles.iter().filter(|role| *role == "supervisor").count(), supervisor.len());
    let report = std::fs::read_to_string(place.out().join("report.html")).unwrap();
    assert!(report.contains("class=\"turn ivr\"") && report.contains(">Supervisor<"), "labels of their own");
    let word = menu[0].split_whitespace().next().unwrap();
    let found = place.run(&["search", word, "--format", "json", "--limit", "100"]).expect(0).stdout;
    assert!(found.contains("\"role\": \"ivr\""), "{found}");
    let roles = place.run(&["roles", id]).expect(0).stdout;
    assert!(roles.contains("1=rep,2=customer"), "{roles}");
    let again = place.run_on(&[&four], &map).expect(0).json();
    assert_eq!((&again["transcribed"], &again["unchanged"]), (&0.into(), &1.into()), "{again}");

    // What was said can be taken away from all of them.
    let out = place.out();
    let everything = ["purge", "--keep", "scores", "--before", "2999-01-01", "--undated", "--yes", "--out"];
    place.run(&[&everything[..], &[out.to_str().unwrap()]].concat()).expect(0);
    let found: Value =
        serde_json::from_str(&place.run(&["search", word, "--format", "json"]).expect(0).stdout).unwrap();
    assert_eq!(found["turns"], 0, "{found}");
    let store = std::fs::read(place.folder.path().join("store.db")).unwrap();
    let needle = menu[0].as_bytes();
    assert!(!store.windows(needle.len()).any(|bytes| bytes == needle), "the menu's words are still in the store");
}

#[test]
fn without_a_map_two_speaking_channels_are_the_call_and_three_are_refused() {
    let place = Place::new();
    let folder = place.folder.path().join("night");
    std::fs::create_dir(&folder).unwrap();
    recording(&folder, "silent.wav", &[Holds::Customer, Holds::Nothing, Holds::Rep]);
    recording(&folder, "three.wav", &[Holds::Rep, Holds::Customer, Holds::Greeting]);
    recording(&folder, "mapped.wav", &[Holds::Greeting, Holds::Customer, Holds::Rep]);
    std::fs::write(folder.join("metadata.csv"), "file,channels\nmapped.wav,\"transfer=0,customer=1,rep=2\"\n").unwrap();
    let summary = place.run_on(&[&folder], &["--set", "channels=auto"]).expect(2).json();
    let failed = summary["failed"].as_array().unwrap();
    assert_eq!((failed.len(), &failed[0]["file"]), (1, &"three.wav".into()), "{failed:?}");
    let told = failed[0].to_string();
    assert!(told.contains("3 channels, 3 with speech") && told.contains("--channels"), "{told}");
    let calls = place.table("calls.csv");
    let mut methods: Vec<&str> = calls.iter().map(|call| call["role_method"].as_str()).collect();
    methods.sort_unstable();
    assert_eq!(methods, ["channel_map", "inferred", "none"], "the third has failed");
    let of = |method: &str| calls.iter().find(|call| call["role_method"] == method).unwrap();
    let silent = place.analysis(&of("inferred")["call_id"]);
    assert_eq!(silent["Qa"]["warnings"][0]["code"], "channels_without_speech");
    assert_eq!((&*of("inferred")["status"], &*of("channel_map")["status"]), ("scored", "scored"));
    let mapped = place.analysis(&of("channel_map")["call_id"]);
    assert!(!said_by(&mapped, "TRANSFER_TARGET").is_empty());

    std::fs::write(folder.join("metadata.csv"), "file,channels\nmapped.wav,\"boss=0,customer=1,rep=2\"\n").unwrap();
    let other = Place::new();
    let failed =
        other.run_on(&[&folder.join("mapped.wav")], &["--metadata", folder.join("metadata.csv").to_str().unwrap()]);
    let told = failed.expect(2).json()["failed"][0].to_string();
    assert!(told.contains("boss=0") && told.contains("transfer_target"), "{told}");
}
