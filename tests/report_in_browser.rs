//! The report in a real browser, opened from disk: nothing fails, nothing is fetched, it is accessible, sounds and prints.
//!
//! `tests/browser/check.mjs` does the looking; `scripts/setup-tests` installs what it needs. A missing browser is a failure.

use std::path::Path;
use std::process::Command;

use crate::harness::{project, sample_from_audio};

/// Writes the report of the sample calls in one language and form.
fn report(folder: &Path, language: &str, layout: &str) {
    let (place, _) = sample_from_audio();
    let out = folder.to_str().expect("UTF-8");
    place.run(&["report", "--out", out, "--language", language, "--layout", layout]).expect(0);
}

/// What the browser found, and whether it found nothing.
fn look(folder: &Path, name: &str) -> (String, bool) {
    let browser = project().join("tests/browser");
    assert!(
        browser.join("node_modules/playwright-core").is_dir(),
        "the browser checks are not installed\nhint: run scripts/setup-tests"
    );
    let mut check = Command::new("node");
    check.arg(browser.join("check.mjs")).arg(folder).args(["--quick", "--sound", "--name", name]);
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
        let (said, clean) = look(folder.path(), &format!("{language}-{layout}"));
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
    let (said, clean) = look(folder.path(), "planted");
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
