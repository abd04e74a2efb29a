//! `callmark report` over a store: one file that needs nothing else, in both languages.

use crate::harness::sample_from_references;

#[test]
fn a_report_of_stored_calls_opens_without_anything_else() {
    let place = sample_from_references();
    let out = place.folder.path().join("report-zh");
    let ran =
        place.run(&["report", "--language", "zh", "--rep", "R-02", "--out", out.to_str().expect("UTF-8")]).expect(0);
    assert!(ran.stdout.contains("report.html"), "{}", ran.stdout);
    let page = std::fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(page.contains("lang=\"zh-CN\"") && page.contains("R-02") && !page.contains("R-06"));
    // The scorecard's own words explain what was lost, and nothing is fetched from anywhere.
    assert!(page.contains("告知本次通话会被录音"));
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert_eq!(std::fs::read_dir(&out).expect("a folder").count(), 1);
    let ran = place.run(&["report", "--language", "fr"]).expect(3);
    assert!(ran.stderr.contains("en, zh"), "{}", ran.stderr);
}
