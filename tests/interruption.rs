//! Killed at random moments, run again each time: the union equals an undisturbed run, and nothing is there twice.

use std::time::Duration;

use crate::harness::{Place, project, sample_from_audio};

#[test]
fn twenty_kills_change_nothing() {
    let (undisturbed, _) = sample_from_audio();
    let place = Place::new();
    let (out, sample) = (place.out(), project().join("sample-audio"));
    let arguments = ["run", "--json", "--jobs", "2", "--out", out.to_str().unwrap(), sample.to_str().unwrap()];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut killed = 0;
    for round in 0..20u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = 150 + (seed >> 33) % 3_500;
        let mut command = place.command(&arguments);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap(); // SIGKILL
            killed += 1;
        }
        child.wait().unwrap();
        assert!(round < 3 || place.folder.path().join("store.db").exists(), "the store is made in the first rounds");
    }
    assert!(killed >= 15, "only {killed} of 20 runs were still at work when they were to be killed");
    place.run(&arguments).expect(0);
    let (expected, found) = (undisturbed.outputs(), place.outputs());
    let names = |outputs: &std::collections::BTreeMap<String, Vec<u8>>| -> Vec<String> {
        outputs.keys().filter(|name| !name.starts_with(".tmp")).cloned().collect()
    };
    assert_eq!(names(&expected), names(&found));
    for (name, bytes) in &expected {
        assert!(found[name] == *bytes, "{name} differs after {killed} kills");
    }
}
