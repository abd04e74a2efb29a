//! Call logs and sales exports as sites have them: every encoding, rows that break rules, files that come twice; and the indicators of them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Place, read_csv};

const CONFIG: &str = "[[rep]]\nid = 'r17'\naliases = ['Zhang San', '张三']\nteams = [{ team = 'north' }]\n\
    [[import]]\nname = 'crm'\nrep = 'Agent'\ndate = 'Date'\nid = 'Row ID'\ndialled = 'Dials'\nconnected = 'Answered'\n\
    opportunities = 'Opportunities'\ndeals = 'Won'\nrevenue = 'Amount'\ntalk_s = 'Talk'\n\
    [[import]]\nname = 'cdr'\nrep = 'agent_name'\ndate = 'calldate'\ntalk_s = 'billsec'\neach = ['dialled']\n\
    event = 'disposition'\nevents = { ANSWERED = ['connected'], 'NO ANSWER' = [], BUSY = [] }\n";

const HEADER: &str = "Row ID,Agent,Date,Dials,Answered,Opportunities,Won,Amount,Talk,Customer Phone\n";
const PHONE: &str = "13912345678";

fn place() -> Place {
    let place = Place::new();
    put(&place, "callmark.toml", CONFIG);
    place
}

fn put(place: &Place, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = place.folder.path().join(name);
    std::fs::write(&path, bytes).expect("writable");
    path
}

/// What `import --json` says of the only file.
fn import(place: &Place, source: &str, file: &Path, code: i32) -> Value {
    let arguments = ["import", file.to_str().expect("UTF-8"), "--source", source, "--json"];
    place.run(&arguments).expect(code).json()["files"][0].clone()
}

/// new, replaced, unchanged, refused.
fn counts(file: &Value) -> [u64; 4] {
    let number = |key: &str| file[key].as_u64().expect("a number");
    [number("new"), number("replaced"), number("unchanged"), file["refused"].as_array().expect("a list").len() as u64]
}

/// `line column: rule` of what was refused.
fn refused(file: &Value) -> Vec<String> {
    let line = |refused: &Value| {
        let column = refused["column"].as_str().unwrap_or("*");
        format!("{} {column}: {}", refused["line"], refused["rule"].as_str().expect("a rule"))
    };
    file["refused"].as_array().expect("a list").iter().map(line).collect()
}

fn indicators(place: &Place, more: &[&str]) -> Vec<Value> {
    let ran = place.run(&[&["indicators", "--format", "json"], more].concat()).expect(0);
    ran.json()["rows"].as_array().expect("rows").clone()
}

#[test]
fn a_good_file_becomes_indicators_and_twice_is_once() {
    let place = place();
    let rows = format!(
        "{HEADER}1,Zhang San,2025-02-17,\"1,000\",２５０,8,2,\"¥1,200.50\",1:00:00,{PHONE}\n\
         2,zhangsan,2025/2/18,1000,150,2,1,300,3600,{PHONE}\n\
         3,Li Si,45706,100,10,0,0,0,60,{PHONE}\n"
    );
    let file = put(&place, "crm.csv", &rows);
    let dry = ["import", "crm.csv", "--source", "crm", "--dry-run", "--json"];
    assert_eq!(counts(&place.run(&dry).expect(0).json()["files"][0]), [3, 0, 0, 0]);
    assert!(!place.folder.path().join("store.db").exists(), "a dry run makes no store");
    assert_eq!(counts(&import(&place, "crm", &file, 0)), [3, 0, 0, 0]);
    let found = indicators(&place, &["--period", "week"]);
    assert_eq!(found.len(), 2, "{found:?}");
    let r17 = found.iter().find(|row| row["rep_id"] == "r17").expect("aliases become reps");
    let expected = [
        ("period", "2025-W08".into()),
        ("team", "north".into()),
        ("days", 2.into()),
        ("dialled", 2000.into()),
        ("calls_per_day", 1000.0.into()),
        ("connect_rate", 0.2.into()),
        ("talk_min_per_day", 60.0.into()),
        ("opportunities_per_week", 25.0.into()),
        ("conversion", 0.3.into()),
        ("conversion_of", "opportunities".into()),
        ("revenue", 1500.5.into()),
        ("revenue_per_call", 3.751.into()),
        ("outcome", 100.0.into()),
        ("process", Value::Null),
        ("blended", Value::Null),
        ("outcome_weight", 0.4.into()),
    ];
    for (column, value) in expected {
        assert_eq!(r17[column], value, "{column}");
    }
    // Excel's day 45706 is the 18th.
    assert_eq!(indicators(&place, &["--period", "day", "--since", "2025-02-18"]).len(), 2);
    assert_eq!(indicators(&place, &["--period", "quarter"])[0]["period"], "2025-Q1");
    // 20 of cost, 400 of margin: every twentieth lead must buy.
    let said = place.run(&["indicators", "--set", "indicators.lead_cost=20", "--set", "indicators.deal_margin=400"]);
    assert!(said.stdout.contains("leads pay from a conversion of 5.00 % on"), "{}", said.stdout);
    assert_eq!(counts(&import(&place, "crm", &file, 0)), [0, 0, 3, 0]);
    assert_eq!(indicators(&place, &["--period", "week"]), found, "twice is once");
    put(&place, "crm.csv", rows.replace("\"¥1,200.50\"", "700"));
    assert_eq!(counts(&import(&place, "crm", &file, 0)), [0, 1, 2, 0]);
    let r17 = indicators(&place, &[]).into_iter().find(|row| row["rep_id"] == "r17").expect("still there");
    assert_eq!(r17["revenue"], 1000.0, "a corrected row replaces the former one");
}

#[test]
fn rows_that_break_rules_are_named_without_their_values_and_the_rest_is_taken() {
    let place = place();
    let rows = format!(
        "{HEADER}1,Zhang San,2025-02-17,10,2,1,0,0,0,{PHONE}\n\
         2,Zhang San,19.02.2025,10,2,1,0,0,0,{PHONE}\n\
         3,,2025-02-17,10,2,1,0,0,0,{PHONE}\n\
         4,Zhang San,2025-02-17,-10,2,1,0,0,0,{PHONE}\n\
         1,Zhang San,2025-02-17,11,2,1,0,0,0,{PHONE}\n\
         1,Zhang San,2025-02-17,10,2,1,0,0,0,{PHONE}\n\
         ,Zhang San,2025-02-17,10,2,1,0,0,0,{PHONE}\n\
         7,Zhang San,2025-02-17,ten,2,1,0,0,0,{PHONE}\n\
         8,Zhang San,2025-02-17,1.5,2,1,0,0,0,{PHONE}\n\
         9,Zhang San,2025-02-17,10,2,1,0,1,200,0,{PHONE}\n\
         10,Zhang San,2025-02-18,10,2,1,0,0,0,{PHONE}\n"
    );
    let file = put(&place, "crm.csv", &rows);
    let found = import(&place, "crm", &file, 2);
    assert_eq!(counts(&found), [2, 0, 0, 8]);
    assert_eq!(found["repeated"], 1);
    let named = refused(&found);
    let expected = [
        "3 Date: not a date",
        "4 Agent: no rep",
        "5 Dials: a negative number",
        "6 Row ID: the same id as line 2",
        "8 Row ID: no id",
        "9 Dials: not a number",
        "10 Dials: not a whole number",
        "11 *: more values than columns",
    ];
    assert_eq!(named.len(), expected.len(), "{named:?}");
    for (named, expected) in named.iter().zip(expected) {
        assert!(named.starts_with(expected), "{named}, expected {expected}");
    }
    let said = place.run(&["import", "crm.csv", "--source", "crm"]).expect(2);
    assert!(said.stderr.contains("line 3: column `Date`") && said.stderr.contains("hint:"), "{}", said.stderr);
    for secret in [PHONE, "Zhang", "19.02.2025", "ten"] {
        let texts = [&said.stdout, &said.stderr, &found.to_string()].map(|text| text.contains(secret));
        // "ten" is in other words, too.
        assert!(secret == "ten" || texts == [false; 3], "{secret}: {}{}", said.stdout, said.stderr);
    }
    assert_eq!(indicators(&place, &[])[0]["dialled"], 20);
}

/// 坐席, 日期, 外呼量, 接通量, 成交金额 / 张三, 2025-02-17 …, in GBK by hand.
const GBK_HEADER: &[u8] = b"\xD7\xF8\xCF\xAF,\xC8\xD5\xC6\xDA,\xCD\xE2\xBA\xF4\xC1\xBF,\xBD\xD3\xCD\xA8\xC1\xBF\n";
const GBK_NAME: &[u8] = b"\xD5\xC5\xC8\xFD";

#[test]
fn a_gbk_file_without_a_mapping_is_understood() {
    let place = place();
    let file = put(&place, "名单.csv", [GBK_HEADER, GBK_NAME, b",2025-02-17,100,20\n"].concat());
    let said = place.run(&["import", file.to_str().expect("UTF-8"), "--source", "外呼"]).expect(0);
    assert!(said.stdout.contains("[[import]]") && said.stdout.contains("dialled = \"外呼量\""), "{}", said.stdout);
    let row = indicators(&place, &[]).remove(0);
    assert_eq!((row["rep_id"].as_str(), row["connect_rate"].as_f64()), (Some("r17"), Some(0.2)));
    // What was printed is a configuration.
    let mapping = said.stdout.split_once("[[import]]").expect("a mapping").1;
    put(&place, "callmark.toml", format!("{CONFIG}[[import]]{mapping}"));
    assert_eq!(counts(&import(&place, "外呼", &file, 0)), [0, 0, 1, 0]);
}

#[test]
fn lines_of_another_encoding_cost_themselves_only() {
    let place = place();
    let line = |id: u32, name: &str| format!("{id},{name},2025-02-17,10,2,1,0,0,0,x\n").into_bytes();
    let gbk = |id: u32| [format!("{id},").as_bytes(), GBK_NAME, b",2025-02-17,10,2,1,0,0,0,x\n"].concat();
    let utf8 = [HEADER.as_bytes().to_vec(), line(1, "张三"), line(2, "李四"), gbk(3), line(4, "张三")].concat();
    let found = import(&place, "crm", &put(&place, "utf8.csv", utf8), 2);
    assert_eq!((counts(&found), refused(&found).len()), ([3, 0, 0, 1], 1));
    assert!(refused(&found)[0].starts_with("4 Agent: bytes that mean nothing"), "{found}");
    // The other way round, under other ids.
    let mixed = [HEADER.as_bytes().to_vec(), gbk(11), gbk(12), gbk(13), line(14, "李四")].concat();
    let found = import(&place, "crm", &put(&place, "gbk.csv", mixed), 2);
    assert_eq!(counts(&found), [3, 0, 0, 1]);
    assert!(refused(&found)[0].starts_with("5 *: another encoding"), "{found}");
    let mut reps: Vec<String> = indicators(&place, &[]).iter().map(|row| row["rep_id"].to_string()).collect();
    reps.sort();
    assert_eq!(reps, ["\"r17\"", "\"李四\""], "no name is garbled");
}

#[test]
fn wrong_columns_stop_a_file_with_what_was_probably_meant() {
    let place = place();
    let wrong = put(&place, "wrong.csv", HEADER.replace("Agent", "Agnet") + "1,Zhang San,2025-02-17,1,1,1,1,1,1,x\n");
    let said = place.run(&["import", "wrong.csv", "--source", "crm"]).expect(3);
    assert!(said.stderr.contains("no column `Agent`; did you mean `Agnet`?"), "{}", said.stderr);
    assert!(said.stderr.contains("Customer Phone") && said.stderr.contains("hint:"), "the headers are named");
    // Beside a good one it costs itself only.
    put(&place, "good.csv", format!("{HEADER}1,Zhang San,2025-02-17,1,1,1,1,1,1,x\n"));
    place.run(&["import", "wrong.csv", "good.csv", "--source", "crm"]).expect(2);
    assert_eq!(indicators(&place, &[]).len(), 1);
    // Without a header the first line is a customer's: it is not shown.
    put(&place, "bare.csv", format!("1,Wang Wu,2025-02-17,1,1,1,1,1,1,{PHONE}\n"));
    for source in ["crm", "unknown"] {
        let said = place.run(&["import", "bare.csv", "--source", source]).expect(3);
        assert!(said.stderr.contains("looks like data") && !said.stderr.contains("Wang"), "{}", said.stderr);
    }
    let said = place.run(&["import", "good.csv", "--source", "crn"]).expect(0);
    assert!(said.stderr.contains("did you mean `crm`?"), "{}", said.stderr);
    std::fs::remove_file(wrong).expect("there");
}

#[test]
fn events_in_json_lines_are_counted() {
    let place = place();
    let line = |disposition: &str, seconds: u32| {
        format!(
            "{{\"agent_name\": \"张三\", \"calldate\": \"2025-02-17 09:00:00\", \"disposition\": \"{disposition}\", \
             \"billsec\": {seconds}, \"dst\": \"{PHONE}\"}}\n"
        )
    };
    // Two calls that are the same in every word are two calls.
    let lines = [line("ANSWERED", 90), line("ANSWERED", 90), line("no answer", 0), line("BUSY", 0), line("WHAT", 0)];
    let file = put(&place, "cdr.jsonl", lines.concat() + "{\"agent_name\": \n");
    let found = import(&place, "cdr", &file, 2);
    assert_eq!(counts(&found), [4, 0, 0, 2]);
    assert!(refused(&found)[0].starts_with("5 disposition: ") && refused(&found)[1].starts_with("6 *: "), "{found}");
    let row = indicators(&place, &[]).remove(0);
    let seen = ["dialled", "connected", "talk_s"].map(|column| row[column].as_f64());
    assert_eq!(seen, [Some(4.0), Some(2.0), Some(180.0)]);
    assert_eq!(counts(&import(&place, "cdr", &file, 2)), [0, 0, 4, 2]);
}

/// A wrong file, or one in a wrong mapping, leaves nothing behind.
#[test]
fn a_source_can_be_taken_out_again() {
    let place = place();
    let calls = put(&place, "cdr.csv", "day,rep_id,dialled,connected\n2025-02-17,R-01,100,20\n2025-02-18,R-01,90,30\n");
    let sales = put(&place, "crm.csv", "day,rep_id,opportunities,deals\n2025-02-17,R-01,10,2\n");
    import(&place, "first", &calls, 0);
    import(&place, "second", &sales, 0);
    let missing = place.run(&["import", "--remove", "--source", "secnd"]).expect(3);
    assert!(missing.stderr.contains("came from: first, second"), "{}", missing.stderr);
    let tried = place.run(&["import", "--remove", "--source", "first", "--dry-run", "--json"]).expect(0).json();
    assert_eq!((tried["removed"].as_u64(), indicators(&place, &[])[0]["dialled"].as_u64()), (Some(2), Some(190)));
    // The table of an earlier run does not keep what is gone.
    let (out, table) = (place.out(), place.out().join("indicators.csv"));
    let remove = |source: &str| {
        let out = out.to_str().expect("UTF-8");
        place.run(&["import", "--remove", "--source", source, "--out", out]).expect(0).stdout
    };
    std::fs::create_dir_all(&out).expect("writable");
    std::fs::write(&table, "stale").expect("writable");
    let said = remove("first");
    assert!(said.contains("2 rows of `first` removed"), "{said}");
    let rows = read_csv(&table);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["dialled"].is_empty() && row["deals"] == "2"), "{rows:?}");
    let left = &indicators(&place, &[])[0];
    assert!(left["dialled"].is_null() && left["deals"] == 2, "{left}");
    // A file and --remove is a mistake.
    place.run(&["import", calls.to_str().unwrap(), "--remove", "--source", "first"]).expect(3);
    // In again as if it had never been there.
    assert_eq!(import(&place, "first", &calls, 0)["new"], 2);
    remove("first");
    remove("second");
    assert!(!table.exists(), "nothing is left to show");
}

#[test]
fn what_two_sources_count_is_said() {
    let place = place();
    put(&place, "crm.csv", format!("{HEADER}1,Zhang San,2025-02-17,10,2,1,0,0,0,x\n"));
    put(&place, "cdr.csv", "agent_name,calldate,billsec,disposition\n张三,2025-02-17,5,ANSWERED\n");
    assert!(!place.run(&["import", "crm.csv", "--source", "crm"]).expect(0).stderr.contains("warning"));
    let said = place.run(&["import", "cdr.csv", "--source", "cdr"]).expect(0).stderr;
    assert!(said.contains("`crm` says connected, dialled, talk_s of the same reps and days"), "{said}");
    // The mapping is what to change, and the same file sets it right.
    put(
        &place,
        "callmark.toml",
        CONFIG.replace("dialled = 'Dials'\nconnected = 'Answered'\n", "").replace("talk_s = 'Talk'\n", ""),
    );
    let said = place.run(&["import", "crm.csv", "--source", "crm"]).expect(0);
    assert!(said.stdout.contains("1 replaced") && !said.stderr.contains("warning"), "{}", said.stderr);
    assert_eq!(indicators(&place, &[])[0]["dialled"], 1);
}

#[test]
fn a_spreadsheet_is_imported() {
    let place = Place::new();
    let source = crate::harness::project().join("tests/oracles/spreadsheets/metadata.xlsx");
    // A title above the header, on the second sheet; real dates and whole numbers as another program writes them.
    let mapping = "[[import]]\nname = 'x'\nrep = '工号'\ndate = 'start_time'\neach = ['dialled']\n";
    put(&place, "callmark.toml", mapping);
    assert_eq!(counts(&import(&place, "x", &source, 0)), [2, 0, 0, 0]);
    let found = indicators(&place, &["--period", "day"]);
    let days: Vec<_> = found.iter().map(|row| (row["rep_id"].as_str(), row["period"].as_str())).collect();
    assert_eq!(days, [(Some("1017"), Some("2025-02-19")), (Some("1018"), Some("2025-03-01"))]);
}

#[test]
fn what_is_not_mapped_is_not_stored() {
    let place = place();
    let rows = format!("{HEADER}1,Zhang San,2025-02-17,10,2,1,0,0,0,{PHONE}\n2,Zhang San,bad,1,1,1,1,1,1,{PHONE}\n");
    import(&place, "crm", &put(&place, "crm.csv", rows), 2);
    // Without an id a row is known by a hash of what it says.
    let header = "agent_name,calldate,billsec,disposition,dst\n";
    let file = put(&place, "cdr.csv", format!("{header}张三,2025-02-17,5,ANSWERED,{PHONE}\n"));
    import(&place, "cdr", &file, 0);
    let mut looked = 0;
    for entry in std::fs::read_dir(place.folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("store.db")) {
            let bytes = std::fs::read(&path).expect("readable");
            assert!(!bytes.windows(PHONE.len()).any(|window| window == PHONE.as_bytes()), "{}", path.display());
            looked += bytes.len();
        }
    }
    assert!(looked > 4096, "the store was looked at");
}

#[test]
fn the_table_stands_beside_the_others_when_there_is_something_to_show() {
    let place = place();
    let call = "Rep: Thank you for calling, this is Anna.\nCustomer: Hello, my bill is wrong.\nRep: Let me see.\nCustomer: Thank you.\n";
    let calls: Vec<PathBuf> = (0..4)
        .map(|n| {
            let name = format!("{n}_ZHANG_SAN_DT_2025-02-1{}T06-01-22.txt", 7 + n % 2);
            put(&place, &name, call.replace("Anna", &"Anna ".repeat(n + 1)))
        })
        .collect();
    let calls: Vec<&Path> = calls.iter().map(PathBuf::as_path).collect();
    place.run_on(&calls, &[]).expect(0);
    assert!(!place.out().join("indicators.csv").exists(), "nothing was imported");
    let file = put(&place, "crm.csv", format!("{HEADER}1,Zhang San,2025-02-17,100,20,1,0,0,0,x\n"));
    let (from, out) = (file.to_str().expect("UTF-8"), place.out());
    let imported = |out: &Path| {
        place.run(&["import", from, "--source", "crm", "--out", out.to_str().expect("UTF-8")]).expect(0);
        out.join("indicators.csv")
    };
    assert!(!imported(place.folder.path()).exists(), "no folder of outputs");
    let first = read_csv(&imported(&out));
    place.run_on(&calls, &[]).expect(0);
    let table = read_csv(&out.join("indicators.csv"));
    assert_eq!(table, first, "the import made it beside the tables of the run before");
    assert_eq!(table.len(), 5, "one row for each kind of period: {table:?}");
    assert!(table.iter().all(|row| row["rep_id"] == "r17" && row["calls_per_day"] == "100.000"));
    for command in ["score", "report"] {
        std::fs::remove_file(out.join("indicators.csv")).expect("there");
        place.run(&[command, "--out", out.to_str().expect("UTF-8")]).expect(0);
        assert!(out.join("indicators.csv").exists(), "{command}");
    }
    // Made again when a call goes.
    std::fs::write(out.join("indicators.csv"), "stale").expect("writable");
    let call = place.table("calls.csv")[0]["call_id"].clone();
    place.run(&["forget", &call, "--yes", "--out", out.to_str().expect("UTF-8")]).expect(0);
    assert_eq!(read_csv(&out.join("indicators.csv")).len(), 5);
    let said = place.run(&["indicators"]).expect(0).stdout;
    assert!(said.contains("20.0 % [13.3–28.9]") && said.contains("fewer than 8 reps"), "{said}");
}

/// The whole way: calls of nine reps and their sales, to the two parts, the blend, and what is said about both.
#[test]
fn process_and_outcome_stand_beside_the_blend() {
    let place = place();
    let (mut paths, mut rows) = (Vec::new(), HEADER.to_string());
    for (rep, name) in ('A'..='I').enumerate() {
        for n in 0..3 {
            // The first reps keep less of the script.
            let greeting = if rep >= 3 {
                "Thank you for calling, this is Anna. This call is recorded for quality."
            } else {
                "Yes?"
            };
            let close = if rep >= 6 + n % 2 {
                "Rep: Is there anything else I can help you with?\nCustomer: No, thank you.\n"
            } else {
                ""
            };
            // The number makes no two files the same; nobody says anything that sounds better or worse for it.
            let text = format!(
                "Rep: {greeting}\nCustomer: Hello, it is about my bill.\nRep: Is that {n} {rep}?\nCustomer: Yes.\n{close}"
            );
            paths.push(put(&place, &format!("{rep}{n}_REP_{name}_DT_2025-02-17T06-01-22.txt"), text));
        }
        rows += &format!("{rep},REP {name},2025-02-17,100,20,10,{rep},0,0,x\n");
    }
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    place.run_on(&paths, &[]).expect(0);
    import(&place, "crm", &put(&place, "crm.csv", rows), 0);
    let found = place.run(&["indicators", "--format", "json"]).expect(0).json();
    let all = found["rows"].as_array().expect("rows");
    assert_eq!(all.len(), 9);
    for row in all {
        let [process, outcome, blended] =
            ["process", "outcome", "blended"].map(|part| row[part].as_f64().expect("points"));
        assert!((blended - (0.6 * process + 0.4 * outcome)).abs() < 0.002, "{row}");
    }
    let association = &found["quality_and_conversion"];
    assert_eq!(association["reps"], 9);
    assert!(association["rho_permille"].as_i64().expect("a number") > 500, "{association}");
    let said = place.run(&["indicators"]).expect(0).stdout;
    assert!(said.contains("over 9 reps: Spearman 0.") && said.contains("association, not cause"), "{said}");
    // A sprint weighs otherwise, somebody new by the calls alone.
    for (profile, weight) in [("sprint", 0.65), ("new_hire", 0.0)] {
        let set = format!("indicators.profile={profile}");
        assert_eq!(indicators(&place, &["--set", &set])[0]["outcome_weight"].as_f64(), Some(weight));
    }
    place.run(&["reps", "--period", "quarter", "--format", "csv"]).expect(0);
}
