//! The report in a real browser, opened from disk: nothing fails, nothing is fetched, it is accessible, sounds and prints.
//!
//! `tests/browser/check.mjs` does the looking; `scripts/setup-tests` installs what it needs. A missing browser is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Place, project, sample_from_audio};

/// Writes the report of the sample calls in one language and form.
fn report(folder: &Path, language: &str, layout: &str) {
    let (place, _) = sample_from_audio();
    let out = folder.to_str().expect("UTF-8");
    place.run(&["report", "--out", out, "--language", language, "--layout", layout]).expect(0);
}

/// What the browser found, and whether it found nothing.
fn look(folder: &Path, name: &str, more: &[&str]) -> (String, bool) {
    let browser = project().join("tests/browser");
    assert!(
        browser.join("node_modules/playwright-core").is_dir(),
        "the browser checks are not installed\nhint: run scripts/setup-tests"
    );
    let mut check = Command::new("node");
    check.arg(browser.join("check.mjs")).arg(folder).args(["--quick", "--name", name]).args(more);
    let output = check.output().expect("node runs: scripts/setup-tests installs it");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(matches!(output.status.code(), Some(0 | 1)), "the check itself failed:\n{said}");
    println!("{said}");
    (said, output.status.success())
}

#[test]
fn every_kind_of_page_works_in_a_browser() {
    for (language, layout) in [("en", "single"), ("zh", "folder")] {
        let folder = tempfile::tempdir().expect("a folder");
        report(folder.path(), language, layout);
        let (said, clean) = look(folder.path(), &format!("{language}-{layout}"), &["--sound"]);
        assert!(clean, "{said}");
    }
}

/// A report with imported outcomes: its page of indicators is looked at like the others.
#[test]
fn the_page_of_indicators_works_in_a_browser() {
    let place = Place::new();
    let call = "Rep: Thank you for calling, this is Anna. This call is recorded.\nCustomer: Hello, my bill is wrong.\nRep: Let me see.\nCustomer: Bye.\n";
    let mut rows = String::from("day,rep_id,team,dialled,connected,opportunities,deals,revenue\n");
    let mut calls: Vec<PathBuf> = Vec::new();
    for rep in 0..6 {
        let file = place.folder.path().join(format!("{rep}_R_{rep}_DT_2025-02-17T06-01-22.txt"));
        std::fs::write(&file, call.replace("Anna", &"Anna ".repeat(rep + 1))).expect("written");
        calls.push(file);
        for (month, day) in (1..=3).flat_map(|month| (10..=16).map(move |day| (month, day))) {
            let (team, dialled) = (["north", "南区"][rep % 2], 60 + 30 * month + rep);
            rows += &format!("2025-{month:02}-{day},R {rep},{team},{dialled},{},{},1,250\n", 20 + rep, rep % 3);
        }
    }
    let calls: Vec<&Path> = calls.iter().map(PathBuf::as_path).collect();
    place.run_on(&calls, &[]).expect(0);
    let file = place.folder.path().join("crm.csv");
    std::fs::write(&file, rows).expect("written");
    place.run(&["import", file.to_str().expect("UTF-8"), "--source", "crm"]).expect(0);
    for (language, layout) in [("en", "folder"), ("zh", "single")] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        place.run(&["report", "--out", out, "--language", language, "--layout", layout]).expect(0);
        let pages = folder.path().join("report/indicators/all.html");
        assert_eq!(pages.is_file(), layout == "folder");
        let (said, clean) = look(folder.path(), &format!("indicators-{language}"), &[]);
        assert!(clean, "{said}");
    }
}

/// The check can fail: a report with planted faults.
#[test]
fn the_browser_check_sees_faults() {
    let folder = tempfile::tempdir().expect("a folder");
    report(folder.path(), "en", "single");
    let path = folder.path().join("report.html");
    let page = std::fs::read_to_string(&path).expect("a report");
    let faults = r##"<p style="color:#bbb;background:#fff">pale</p><div style="width:500px">wide</div><a href="#nowhere">lost</a>
        <img alt="" src="https://example.com/x.png"><script>console.error("planted")</script></h1>"##;
    let broken = page
        // Its policy would refuse most of the faults.
        .replace("Content-Security-Policy", "no-policy")
        .replacen("</h1>", faults, 1)
        .replace("data:audio/ogg;base64,T2dn", "data:audio/ogg;base64,AAAA");
    assert_ne!(page, broken);
    std::fs::write(path, broken).expect("written");
    let (said, clean) = look(folder.path(), "planted", &["--sound"]);
    assert!(!clean);
    for fault in [
        "color-contrast",
        "px wide in 360",
        "#nowhere leads nowhere",
        "leaves the disk",
        "console: planted",
        "plays nothing",
    ] {
        assert!(said.contains(fault), "{fault} was not seen:\n{said}");
    }
}
