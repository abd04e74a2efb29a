//! `callmark coach`: from a warning to a re-check on stored calls, with an effect that is there and one that is not.

use std::fmt::Write as _;

use crate::harness::Place;

/// Eight reps in one team, forty calls each in eight weeks from 6 January 2025; `improved` asks what to help with from 3 February on, the others
/// do it in every second call.
fn team(improved: &str) -> Place {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let mut metadata = String::from("file,rep_id,team,start_ts\n");
    for rep in 0..8 {
        let name = format!("rep{rep}");
        for call in 0..40 {
            let day = jiff::civil::date(2025, 1, 6) + jiff::Span::new().days(call * 7 / 5);
            let asks =
                if name == improved && day >= jiff::civil::date(2025, 2, 3) { true } else { (call + rep) % 2 == 0 };
            let closing = if asks { "Is there anything else I can help you with?" } else { "Okay." };
            // Every call differs: the same bytes would be the same call.
            let text = format!(
                "Rep: Thank you for calling, this is Anna. This call is recorded for quality.\nCustomer: Hello, my bill {call} of customer {rep} is wrong.\n\
                 Rep: I am sorry to hear that. Could you confirm your date of birth?\nCustomer: It is the first of May.\nRep: {closing}\nCustomer: No, thank you.\n"
            );
            let file = format!("{name}-{call}.txt");
            std::fs::write(night.join(&file), text).unwrap();
            writeln!(metadata, "{file},{name},north,{day}T10:00:00").unwrap();
        }
    }
    std::fs::write(night.join("metadata.csv"), metadata).unwrap();
    place.run_on(&[&night], &[]).expect(0);
    place
}

/// The requirement on which calls without the question lose points.
fn question(place: &Place) -> String {
    let ledger = place.table("ledger.csv");
    let row = ledger.iter().find(|row| row["result"] == "met" && row["quote"].contains("anything else"));
    row.expect("the question is asked for")["requirement_id"].clone()
}

#[test]
fn coaching_is_planned_followed_and_checked() {
    let place = team("rep3");
    let on = question(&place);
    let plan = |rep: &str| {
        place.run(&[
            "coach",
            "plan",
            rep,
            "--on",
            &on,
            "--by",
            "kim",
            "--day",
            "2025-02-01",
            "--note",
            "asked on 0171 2345678",
        ])
    };
    let made = plan("rep3").expect(0).stdout;
    assert!(made.starts_with(&format!("K1: rep3 on {on}\n")), "{made}");
    assert!(made.contains("points a call") && made.contains("(calls "), "the diagnosis names calls: {made}");
    assert!(plan("rep3").expect(3).stderr.contains("the plan K1 of rep3"), "one plan for one thing");
    plan("rep5").expect(0);
    assert!(place.run(&["coach", "plan", "nobody", "--by", "kim"]).expect(3).stderr.contains("it knows rep0, rep1"));
    assert!(
        place.run(&["coach", "plan", "rep1", "--on", "charm", "--by", "kim"]).expect(3).stderr.contains("hint: score")
    );

    for id in ["K1", "k2"] {
        place.run(&["coach", "step", id, "training", "--by", "kim", "--day", "2025-02-02"]).expect(0);
    }
    place.run(&["coach", "step", "K1", "accompanied", "--by", "kim", "--day", "2025-01-31"]).expect(3); // before the training
    place.run(&["coach", "step", "K9", "training", "--by", "kim"]).expect(3);

    let check = |id: &str| place.run(&["coach", "check", id, "--until", "2025-03-02", "--json"]).expect(0).json();
    let helped = check("K1");
    assert_eq!(helped["effect"]["verdict"], "helped", "{helped}");
    let [effect, low, high] = ["effect", "low", "high"].map(|key| helped["effect"][key].as_i64().unwrap());
    assert!(low < 500 && 500 < high && (350..=650).contains(&effect), "half of the calls changed: {helped}");
    assert_eq!(helped["effect"]["design"], "difference_in_differences");
    let nothing = check("K2");
    assert_ne!(nothing["effect"]["verdict"], "helped", "{nothing}");

    let plans = place.run(&["coach", "list", "--json"]).expect(0).json();
    assert_eq!((plans[0]["stage"].as_str(), plans[0]["rep_id"].as_str()), (Some("recheck"), Some("rep3")));
    assert_eq!(plans[0]["notes"][0][1], "asked on [phone]", "notes are redacted like everything else");
    let again = plans[1]["stage"].as_str();
    assert!(again == Some("diagnosis") || again == Some("recheck"), "{plans}");

    let tables = place.folder.path().join("tables");
    place.run(&["export", tables.to_str().unwrap()]).expect(0);
    let exported = crate::harness::read_csv(&tables.join("coaching.csv"));
    let shown =
        |value: i64| format!("{}{}.{:03}", if value < 0 { "-" } else { "" }, value.abs() / 1000, value.abs() % 1000);
    let row = &exported[0];
    assert_eq!(exported.len(), 2);
    assert_eq!([&row["plan_id"], &row["target_kind"], &row["target"]], ["K1", "requirement", &on]);
    assert_eq!([&row["stage"], &row["verdict"], &row["coached_from"]], ["recheck", "helped", "2025-02-02"]);
    assert_eq!([&row["effect"], &row["effect_low"], &row["effect_high"]], [effect, low, high].map(shown).each_ref());

    let calendar = place.run(&["coach", "calendar"]).expect(0).stdout;
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"), "{calendar}");
    assert!(
        calendar.contains("UID:K1@callmark\r\n") && calendar.contains("DTSTART;VALUE=DATE:20250302\r\n"),
        "{calendar}"
    );
    assert_eq!(calendar, place.run(&["coach", "calendar"]).expect(0).stdout);

    for (language, result) in [("en", "helped:"), ("zh", "有效：")] {
        let out = place.folder.path().join(language);
        place.run(&["report", "--out", out.to_str().unwrap(), "--language", language, "--clips", "none"]).expect(0);
        let page = std::fs::read_to_string(out.join("report.html")).unwrap();
        let rep = page.split("K1</th>").nth(1).unwrap();
        assert!(rep.contains(result), "{language}: the rep's page has the plan and its result");
    }

    place.run(&["coach", "step", "K1", "closed", "--by", "kim", "--day", "2025-03-03"]).expect(0);
    let open = place.run(&["coach", "list"]).expect(0).stdout;
    assert!(!open.contains("K1") && open.contains("K2"), "{open}");
    assert!(place.run(&["coach", "list", "--all"]).expect(0).stdout.contains("closed"));
}
