//! A watched folder: files that are copied slowly are taken once each, when they are complete; `--once` takes what is complete.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Place, project};

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn slowly_copied_files_are_taken_once_when_complete() {
    let place = Place::new();
    let arriving = place.folder.path().join("arriving");
    std::fs::create_dir(&arriving).unwrap();
    let references = project().join("sample-audio/references");
    let mut texts: Vec<PathBuf> = std::fs::read_dir(references).unwrap().map(|e| e.unwrap().path()).collect();
    texts.sort();
    texts.truncate(3);
    let out = place.out();
    let arguments =
        ["watch", arriving.to_str().unwrap(), "--settle", "1500ms", "--json", "--out", out.to_str().unwrap()];
    let child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut watch = Killed(child);
    let (line_in, lines) = mpsc::channel();
    let output = watch.0.stdout.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = line_in.send(line);
        }
    });
    // Three files grow at the same time, a piece every 400 ms: half a call must never be scored.
    let bytes: Vec<Vec<u8>> = texts.iter().map(|p| std::fs::read(p).unwrap()).collect();
    let pieces = 8;
    let mut files: Vec<std::fs::File> =
        texts.iter().map(|p| std::fs::File::create(arriving.join(p.file_name().unwrap())).unwrap()).collect();
    for piece in 0..pieces {
        for (file, bytes) in files.iter_mut().zip(&bytes) {
            let part = bytes.len().div_ceil(pieces);
            file.write_all(&bytes[(piece * part).min(bytes.len())..((piece + 1) * part).min(bytes.len())]).unwrap();
            file.flush().unwrap();
        }
        assert!(lines.try_recv().is_err(), "a file was taken while it was written");
        std::thread::sleep(Duration::from_millis(400));
    }
    let mut taken = 0;
    while taken < 3 {
        let line = lines.recv_timeout(Duration::from_secs(60)).expect("the watch takes the files");
        let batch: Value = serde_json::from_str(&line).unwrap();
        taken += batch["recordings"].as_u64().unwrap();
        assert_eq!(batch["failed"].as_array().unwrap().len(), 0, "{batch}");
    }
    assert_eq!(taken, 3);
    // The other commands work beside it; a second run does not.
    place.run(&["reps", "--format", "json"]).expect(0);
    let second = place.run_on(&[&arriving], &[]).expect(3);
    assert!(second.stderr.contains(&format!("process {}", watch.0.id())), "{}", second.stderr);
    assert!(lines.recv_timeout(Duration::from_secs(4)).is_err(), "nothing is taken twice");
    drop(watch);
    assert_eq!(place.table("calls.csv").len(), 3);
    let whole = Place::new();
    let paths: Vec<&std::path::Path> = texts.iter().map(PathBuf::as_path).collect();
    whole.run_on(&paths, &[]).expect(0);
    for (name, expected) in whole.outputs().iter().filter(|(name, _)| name.ends_with(".vtt")) {
        assert!(place.outputs().get(name) == Some(expected), "{name} is not the whole call");
    }
}

#[test]
fn once_takes_what_is_complete_and_tells_the_finish_command() {
    let place = Place::new();
    let arriving = place.folder.path().join("arriving");
    std::fs::create_dir(&arriving).unwrap();
    std::fs::write(arriving.join("old.txt"), "Rep: Good morning.\nCustomer: Hello.\n").unwrap();
    std::thread::sleep(Duration::from_millis(6_200));
    std::fs::write(arriving.join("new.txt"), "Rep: Good").unwrap();
    let (out, told, metrics) =
        (place.out(), place.folder.path().join("told.json"), place.folder.path().join("callmark.prom"));
    let command = format!("cat > {}; exit $CALLMARK_EXIT_CODE", told.display());
    let arguments = ["watch", arriving.to_str().unwrap(), "--once", "--settle", "6s", "--json"];
    let more = ["--out", out.to_str().unwrap(), "--on-finish", &command, "--metrics", metrics.to_str().unwrap()];
    let ran = place.run(&[arguments.as_slice(), more.as_slice()].concat()).expect(0);
    let summary = ran.json();
    assert_eq!((&summary["recordings"], &summary["still_changing"]), (&1.into(), &1.into()));
    let told: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert_eq!(told, summary);
    let metrics = std::fs::read_to_string(metrics).unwrap();
    assert!(metrics.contains("\ncallmark_recordings 1\n") && metrics.contains("\ncallmark_last_exit_code 0\n"));
}
