//! A second run on a store leaves at once and says who works there; everything that only reads or scores goes on meanwhile.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::harness::Place;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_second_run_leaves_and_the_rest_works_meanwhile() {
    let place = Place::new();
    let (night, late) = (place.folder.path().join("night"), place.folder.path().join("late"));
    for (folder, calls, seed) in [(&night, "4000", "3"), (&late, "3", "4")] {
        let folder = folder.to_str().unwrap();
        place
            .run(&["bench", "night", folder, "--calls", calls, "--seed", seed, "--language", "zh", "--broken", "0"])
            .expect(0);
    }
    let (out, folder) = (place.out(), night.to_str().unwrap());
    let mut command = place.command(&["run", "--out", out.to_str().unwrap(), folder]);
    let mut first = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let began = Instant::now();
    let call = loop {
        let mut names: Vec<String> = std::fs::read_dir(&out)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| Some(e.file_name().to_str()?.strip_suffix(".analysis.json")?.to_string()))
            .collect();
        // A call is committed just after its files are written.
        if names.len() > 20 {
            names.sort();
            let name = names.iter().find(|n| place.run(&["show", n]).code == 0);
            break name.expect("a stored call").clone();
        }
        assert!(began.elapsed() < Duration::from_secs(120), "the first run does not get going");
        std::thread::sleep(Duration::from_millis(50));
    };

    let began = Instant::now();
    let other_out = place.folder.path().join("other");
    let second = place.run(&["run", "--out", other_out.to_str().unwrap(), late.to_str().unwrap()]).expect(3);
    assert!(began.elapsed() < Duration::from_secs(20), "it leaves at once");
    let holder = format!("process {}", first.0.id());
    for part in [holder.as_str(), "hint:", "--store"] {
        assert!(second.stderr.contains(part), "{part} is not in: {}", second.stderr);
    }
    assert!(!second.stderr.contains("panicked"));

    let shown = place.run(&["show", &call]).expect(0);
    assert!(shown.stdout.contains(&call), "{}", shown.stdout);
    assert!(!place.run(&["reps", "--format", "json"]).expect(0).json().as_array().unwrap().is_empty());
    place.run(&["search", "您好"]).expect(0);
    place.run(&["review", &call]).expect(0);
    let by = ["--comment", "--by", "Ann", "--reason", "heard it"];
    place.run(&[["review", &call, "polite_closing"].as_slice(), &by].concat()).expect(0);
    let rescored = place.run(&["score", "--json", "--scorecard", "support"]).expect(0).json();
    assert!(rescored["calls"].as_u64().unwrap() > 20, "{rescored}");
    assert!(first.0.try_wait().unwrap().is_none(), "all that happened while the first run was at work");

    // The lock goes with the process, also when it is killed.
    drop(first);
    place.run(&["run", "--out", other_out.to_str().unwrap(), late.to_str().unwrap()]).expect(0);
}
