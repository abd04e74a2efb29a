//! `callmark report` over a store: one file that needs nothing else, in both languages.

use crate::harness::{sample_from_audio, sample_from_references};

/// The page for the morning: moments that can be read and heard, in both languages and forms; nothing loads from elsewhere.
#[test]
fn a_morning_digest_tells_of_a_day() {
    let (place, _) = sample_from_audio();
    let folder = tempfile::tempdir().unwrap();
    let digest = |language: &str| {
        let out = folder.path().join(language);
        place
            .run(&["digest", "--date", "2025-02-20", "--out", out.to_str().unwrap(), "--language", language])
            .expect(0);
        let read = |ending: &str| std::fs::read_to_string(out.join(format!("digest-2025-02-20.{ending}"))).unwrap();
        (read("html"), read("md"))
    };
    for (language, title, best, misses) in
        [("en", "Morning digest: ", "Well done", "To learn from"), ("zh", "晨会简报：", "做得好的", "值得吸取的教训")]
    {
        let (html, markdown) = digest(language);
        assert!(
            html.contains(&format!("<h1>{title}")) && !html.contains("http:") && !html.contains("https:"),
            "{language}"
        );
        assert!(markdown.starts_with(&format!("# {title}")), "{markdown}");
        let section = |heading: &str| {
            markdown.split(&format!("## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap().to_string()
        };
        for heading in [best, misses] {
            let told = section(heading);
            assert!(
                told.contains("\n1. **") && told.contains("\n3. **") && !told.contains("\n4. **"),
                "{heading}: {told}"
            );
            assert!(told.matches("   > ").count() >= 3, "every moment has its words: {told}");
        }
        assert_eq!(html.matches("<audio controls").count(), html.matches("src=\"data:audio/ogg;base64,").count());
        assert!(html.matches("<audio controls").count() >= 5, "{language}: moments can be heard");
        assert_eq!((html.clone(), markdown), digest(language), "the same again");
    }
    place.run(&["digest", "--date", "1999-01-01"]).expect(3);
}

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
