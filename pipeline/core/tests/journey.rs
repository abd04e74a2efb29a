//! Journeys of opportunities: every state, figure and alert against one computed by hand.

use std::collections::BTreeSet;

use callmark_core::journey::{
    Alert, CallTalk, ChecklistItem, ItemState, JourneySettings, Limit, Mention, MentionKind, Moment, OpportunityRow,
    OpportunityStatus, Promise, Rule, Touchpoint, TouchpointKind, journeys, mentions,
};
use callmark_core::recording::Language;
use callmark_core::scorecard::Text;
use callmark_core::transcript::{Medium, Role, Transcript, Turn};
use proptest::prelude::*;

use ItemState::{Met, Missed, NotDue, Unknown};
use TouchpointKind::{
    Call, Closed, Contract, CrossTeamStep, Delivery, FirstContact, Message, NeedGraded, NextStep, Proposal, Reply,
    Visit,
};

fn item(id: &str, rule: Rule) -> ChecklistItem {
    ChecklistItem { id: id.to_string(), what: serde_json::from_value::<Text>(id.into()).unwrap(), rule }
}

/// The checklist and the lines of the built-in configuration.
fn settings() -> JourneySettings {
    JourneySettings {
        items: vec![
            item("graded", Rule::Within { event: NeedGraded, after: FirstContact, limit: Limit::Hours(72) }),
            item(
                "own_words",
                Rule::Repeats {
                    event: Proposal,
                    said: BTreeSet::from([MentionKind::Worry, MentionKind::Need]),
                    share_permille: 300,
                },
            ),
            item("cross_team", Rule::Before { event: CrossTeamStep, before: Contract }),
            item("visit", Rule::Within { event: Visit, after: Delivery, limit: Limit::Days(30) }),
        ],
        stale_days: 7,
        neglect_days: 14,
        top_share_permille: 200,
        window_days: 30,
        busy_touches: 4,
    }
}

fn at(stamp: &str) -> Moment {
    stamp.parse().unwrap()
}

fn touch(opportunity: &str, kind: TouchpointKind, stamp: &str) -> Touchpoint {
    Touchpoint {
        source: "crm".into(),
        row_id: format!("{opportunity} {} {stamp}", kind.id()),
        kind,
        opportunity_id: Some(opportunity.into()),
        customer_id: Some("K-1".into()),
        rep_id: "kim".into(),
        at: at(stamp),
        value_milli: None,
        text: String::new(),
    }
}

fn call(call_id: &str, stamp: &str) -> CallTalk {
    CallTalk {
        call_id: call_id.into(),
        customer_id: Some("K-1".into()),
        opportunity_id: None,
        rep_id: Some("kim".into()),
        at: Some(at(stamp)),
        customer_spoke: false,
        customer_talk_permille: None,
        customer_questions: 0,
        sentiment_milli: None,
        advanced: false,
        promise: None,
        mentions: Vec::new(),
    }
}

fn row(touchpoints: &[Touchpoint], calls: &[CallTalk], as_of: &str) -> OpportunityRow {
    let mut rows = journeys(touchpoints, calls, as_of.parse().unwrap(), &settings());
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

fn events(events: &[(TouchpointKind, &str)]) -> Vec<Touchpoint> {
    events.iter().map(|(kind, stamp)| touch("O-1", *kind, stamp)).collect()
}

fn state(item: &str, touchpoints: &[(TouchpointKind, &str)], as_of: &str) -> ItemState {
    let row = row(&events(touchpoints), &[], as_of);
    row.items.iter().find(|outcome| outcome.id == item).unwrap().state
}

#[test]
fn hours_run_by_the_clock_and_a_day_alone_is_any_time_of_it() {
    let first = (FirstContact, "2025-01-06T10:00:00");
    let cases = [
        ("2025-01-09T10:00:00", Met),
        ("2025-01-09T10:00:01", Missed),
        // From 62 to 86 hours.
        ("2025-01-09", Unknown),
        ("2025-01-08", Met),
        // From 86 hours on.
        ("2025-01-10", Missed),
    ];
    for (graded, expected) in cases {
        assert_eq!(state("graded", &[first, (NeedGraded, graded)], "2025-01-20"), expected, "{graded}");
    }
}

#[test]
fn what_may_still_be_done_is_not_missed() {
    let first = (FirstContact, "2025-01-06T10:00:00");
    assert_eq!(state("graded", &[first], "2025-01-09"), NotDue, "the last day is not over");
    assert_eq!(state("graded", &[first], "2025-01-10"), Missed);
    let delivery = (Delivery, "2025-03-01");
    assert_eq!(state("visit", &[delivery], "2025-03-31"), NotDue);
    assert_eq!(state("visit", &[delivery], "2025-04-01"), Missed);
    assert_eq!(state("visit", &[delivery, (Visit, "2025-03-31")], "2025-04-09"), Met);
    assert_eq!(state("visit", &[delivery, (Visit, "2025-04-01")], "2025-04-09"), Missed);
    // A visit before the delivery is none after it.
    assert_eq!(state("visit", &[(Visit, "2025-02-01"), delivery], "2025-03-09"), NotDue);
    // Nothing falls due any more.
    assert_eq!(state("visit", &[delivery, (Closed, "2025-03-20")], "2025-05-01"), NotDue);
    // Nothing after the day is known.
    assert_eq!(state("visit", &[delivery, (Visit, "2025-03-10")], "2025-03-09"), NotDue);
}

#[test]
fn what_nobody_wrote_down_is_unknown() {
    assert_eq!(state("graded", &[(Message, "2025-01-06")], "2025-02-01"), NotDue);
    assert_eq!(state("graded", &[(NeedGraded, "2025-01-06")], "2025-02-01"), Unknown);
    assert_eq!(state("graded", &[(Contract, "2025-01-06")], "2025-02-01"), Unknown, "there was a first contact");
    assert_eq!(state("own_words", &[(Proposal, "2025-01-06")], "2025-02-01"), Unknown, "no wording");
}

#[test]
fn one_event_comes_before_another() {
    let (step, contract) = (CrossTeamStep, Contract);
    let cases: [(&[(TouchpointKind, &str)], ItemState); 6] = [
        (&[(Message, "2025-01-01")], NotDue),
        (&[(step, "2025-01-02")], Met),
        (&[(contract, "2025-01-02")], Missed),
        (&[(step, "2025-01-02"), (contract, "2025-01-03")], Met),
        (&[(step, "2025-01-03T08:00:00"), (contract, "2025-01-02")], Missed),
        // Which came first on that day?
        (&[(step, "2025-01-03"), (contract, "2025-01-03T08:00:00")], Unknown),
    ];
    for (touchpoints, expected) in cases {
        assert_eq!(state("cross_team", touchpoints, "2025-02-01"), expected, "{touchpoints:?}");
    }
}

fn transcript(language: Language, turns: &[(Role, &str)]) -> Transcript {
    let turn = |(index, (role, text)): (i64, &(Role, &str))| Turn {
        role: *role,
        begin_ms: index * 10_000,
        end_ms: index * 10_000 + 5_000,
        text: (*text).to_string(),
        words: vec![],
        confidence_permille: 900,
    };
    Transcript {
        medium: Medium::Speech,
        language: Some(language),
        duration_ms: 60_000,
        turns: (0..).zip(turns).map(turn).collect(),
        ..Transcript::default()
    }
}

fn worried() -> Vec<Mention> {
    let turns = [
        (Role::Rep, "I'm worried about the weather. What is on your mind?"),
        (Role::Customer, "I'm worried about losing customer data during the migration."),
        (Role::Customer, "And I have to ask my boss, it is not my decision."),
        (Role::Customer, "I am not worried about the price."),
        (Role::Customer, "I'm not sure. I'm afraid that is wrong, I need to go now."),
    ];
    mentions("C-1", Some(at("2025-01-10T09:00:00")), &transcript(Language::En, &turns))
}

#[test]
fn customers_are_quoted_word_by_word_with_their_place() {
    let found = worried();
    let seen: Vec<(MentionKind, u32)> = found.iter().map(|mention| (mention.kind, mention.turn)).collect();
    assert_eq!(seen, [(MentionKind::Worry, 1), (MentionKind::DecisionMaker, 2)], "not the rep's, not what is denied");
    assert_eq!(found[0].quote, "I'm worried about losing customer data during the migration.");
    assert_eq!(
        (found[0].phrase.as_str(), found[0].begin_ms, found[0].end_ms),
        ("I'm worried about", Some(10_000), Some(15_000))
    );
    let words = ["customer", "data", "during", "losing", "migration"].map(String::from);
    assert!(found[0].words().into_iter().eq(words), "what it is about, without the phrase");

    let turns = [
        (Role::Customer, "我们担心的是数据迁移"),
        (Role::Rep, "我们担心的是天气"),
        (Role::Customer, "这个要老板决定，我做不了主"),
        (Role::Customer, "原来的负责人走了，我刚接手这块"),
    ];
    let found = mentions("C-2", None, &transcript(Language::Zh, &turns));
    let seen: Vec<(MentionKind, u32)> = found.iter().map(|mention| (mention.kind, mention.turn)).collect();
    assert_eq!(seen, [(MentionKind::Worry, 0), (MentionKind::DecisionMaker, 2), (MentionKind::DecisionMakerChange, 3)]);
    assert!(found[0].words().into_iter().eq(["据迁", "数据", "迁移"].map(String::from)));
}

#[test]
fn a_proposal_repeats_the_customers_own_words() {
    let talk = CallTalk { mentions: worried(), ..call("C-1", "2025-01-10T09:00:00") };
    let judged = |stamp: &str, text: &str| {
        let proposal = Touchpoint { text: text.into(), ..touch("O-1", Proposal, stamp) };
        let row = row(&[proposal], std::slice::from_ref(&talk), "2025-02-01");
        (row.items[1].state, row.items[1].share_permille, row.items[1].said.len())
    };
    // Customer, data, migration of five words.
    let own = "We move your customers' data in one migration, with a full backup.";
    assert_eq!(judged("2025-01-12", own), (Met, Some(600), 1));
    assert_eq!(judged("2025-01-12", "Customer service around the clock."), (Missed, Some(200), 1));
    assert_eq!(judged("2025-01-09", own), (Unknown, None, 0), "nothing had been said yet");
    assert_eq!(judged("2025-01-12", "客户数据迁移方案"), (Unknown, None, 0), "another language repeats no word");
    assert_eq!(judged("2025-01-12", ""), (Unknown, None, 0));
    // Of two proposals the better one counts.
    let [weak, strong] = [("2025-01-12", "Hello."), ("2025-01-13", own)]
        .map(|(stamp, text)| Touchpoint { text: text.into(), ..touch("O-1", Proposal, stamp) });
    let row = row(&[weak, strong], &[talk], "2025-02-01");
    assert_eq!((row.items[1].state, row.items[1].events[0].at), (Met, at("2025-01-13")));
}

#[test]
fn items_share_a_hundred_points_and_only_decided_ones_count() {
    let touchpoints = events(&[
        (FirstContact, "2025-01-06T10:00:00"),
        (NeedGraded, "2025-01-07T10:00:00"),
        (Contract, "2025-02-01"),
        (Delivery, "2025-02-20"),
    ]);
    let found = row(&touchpoints, &[], "2025-02-21");
    let states: Vec<ItemState> = found.items.iter().map(|outcome| outcome.state).collect();
    assert_eq!(states, [Met, NotDue, Missed, NotDue]);
    assert_eq!((found.checklist_points, found.checklist_decided), (25_000, 50_000));
    assert_eq!((found.status, found.stage), (OpportunityStatus::Contracted, Some(Delivery)));
    let three = JourneySettings { items: settings().items[..3].to_vec(), ..settings() };
    let worth: Vec<i64> =
        journeys(&touchpoints, &[], found.as_of, &three)[0].items.iter().map(|i| i.possible).collect();
    assert_eq!(worth, [33_334, 33_333, 33_333]);
}

#[test]
fn health_is_the_geometric_mean_of_activity_and_substance() {
    let touchpoints =
        events(&[(Message, "2025-03-10"), (Message, "2025-03-20"), (Reply, "2025-03-25"), (Call, "2025-03-28")]);
    let talk = CallTalk {
        customer_spoke: true,
        customer_talk_permille: Some(400),
        customer_questions: 2,
        sentiment_milli: Some(1_000),
        ..call("C-1", "2025-03-28T11:00:00")
    };
    let health = row(&touchpoints, std::slice::from_ref(&talk), "2025-03-31").health;
    assert_eq!((health.touches, health.recent_two_sided, health.days), (4, 2, Some(3)), "the call is one touch");
    let parts = (health.recency_permille, health.number_permille, health.two_sided_permille, health.heat_permille);
    // Heat: (750 + 666 + 750) / 3.
    assert_eq!(parts, (1000, 1000, Some(500), Some(722)));
    // Activity 1000, substance (500 + 722) / 2.
    assert_eq!(health.points, 78_100);
    // 21 days after the call: 14 of 23 days from fresh to nothing; the first message has left the window.
    let later = row(&touchpoints, &[talk], "2025-04-18").health;
    let parts = (later.recency_permille, later.number_permille, later.two_sided_permille, later.heat_permille);
    assert_eq!(parts, (1000 - 608, 750, Some(666), Some(722)));
    let silent = row(&touchpoints[..1], &[], "2025-05-31").health;
    assert_eq!((silent.points, silent.two_sided_permille, silent.heat_permille), (0, None, None));
}

#[test]
fn business_without_the_customer_is_hollow() {
    let messages = |more: &[(TouchpointKind, &str)]| {
        let days = ["2025-03-10", "2025-03-12", "2025-03-14", "2025-03-16"];
        events(&[days.map(|day| (Message, day)).as_slice(), more].concat())
    };
    let is_hollow = |touchpoints: &[Touchpoint], calls: &[CallTalk]| {
        let row = row(touchpoints, calls, "2025-03-20");
        let found = row.alerts.iter().any(|alert| matches!(alert, Alert::Hollow { window_days: 30, .. }));
        assert_eq!(found, row.health.hollow);
        found
    };
    assert!(is_hollow(&messages(&[]), &[]));
    assert_eq!(row(&messages(&[]), &[], "2025-03-20").health.points, 0, "however busy");
    assert!(is_hollow(&messages(&[]), &[call("C-1", "2025-03-15")]), "the rep alone spoke");
    assert!(!is_hollow(&messages(&[(Reply, "2025-03-17")]), &[]));
    assert!(!is_hollow(&messages(&[(Contract, "2025-03-17")]), &[]));
    assert!(!is_hollow(&messages(&[]), &[CallTalk { customer_spoke: true, ..call("C-1", "2025-03-15") }]));
    assert!(!is_hollow(&messages(&[]), &[CallTalk { advanced: true, ..call("C-1", "2025-03-15") }]));
    assert!(!is_hollow(&messages(&[])[..3], &[]), "three touches are not many");
}

fn promising(stamp: &str) -> CallTalk {
    let promise = Promise {
        at: at(stamp),
        call_id: Some("C-1".into()),
        turn: Some(4),
        begin_ms: Some(61_000),
        quote: "I will call you on Monday.".into(),
    };
    CallTalk { promise: Some(promise), ..call("C-1", stamp) }
}

#[test]
fn a_promise_without_a_touch_becomes_stale() {
    let touchpoints = events(&[(FirstContact, "2025-02-20")]);
    let stale = |touchpoints: &[Touchpoint], calls: &[CallTalk], as_of: &str| {
        let alerts = row(touchpoints, calls, as_of).alerts;
        alerts.into_iter().find_map(|alert| match alert {
            Alert::StaleFollowUp { days, promise } => Some((days, promise.call_id, promise.turn)),
            _ => None,
        })
    };
    let calls = [promising("2025-03-01T10:00:00")];
    assert_eq!(stale(&touchpoints, &calls, "2025-03-08"), None);
    assert_eq!(stale(&touchpoints, &calls, "2025-03-09"), Some((8, Some("C-1".into()), Some(4))));
    let with = |more: &[(TouchpointKind, &str)]| [touchpoints.clone(), events(more)].concat();
    // The sales system has the same call.
    assert!(stale(&with(&[(Call, "2025-03-01")]), &calls, "2025-03-09").is_some());
    assert!(stale(&with(&[(NeedGraded, "2025-03-04")]), &calls, "2025-03-09").is_some(), "no contact");
    assert!(stale(&with(&[(Message, "2025-03-01T09:00:00")]), &calls, "2025-03-09").is_some(), "before the promise");
    for followed in ["2025-03-01", "2025-03-01T17:00:00", "2025-03-02"] {
        assert_eq!(stale(&with(&[(Message, followed)]), &calls, "2025-03-09"), None, "{followed}");
    }
    assert_eq!(stale(&with(&[(Closed, "2025-03-09")]), &calls, "2025-03-20"), None, "nobody waits any more");
    let imported = with(&[(NextStep, "2025-03-01")]);
    assert_eq!(stale(&imported, &[], "2025-03-12"), Some((11, None, None)));
}

#[test]
fn the_most_valuable_are_not_to_be_neglected() {
    let worth = |id: &str, value: i64| {
        let touchpoint = touch(id, Message, "2025-03-01");
        Touchpoint { value_milli: Some(value), customer_id: None, ..touchpoint }
    };
    let mut touchpoints: Vec<Touchpoint> = (1..=5).map(|n| worth(&format!("O-{n}"), n * 100_000)).collect();
    let neglected = |touchpoints: &[Touchpoint], as_of: &str| -> Vec<(String, i64, i64)> {
        let rows = journeys(touchpoints, &[], as_of.parse().unwrap(), &settings());
        let found = |row: &OpportunityRow| match row.alerts.first()? {
            Alert::HighValueNeglect { line_milli, days, .. } => Some((row.opportunity_id.clone(), *line_milli, *days)),
            _ => None,
        };
        rows.iter().filter_map(found).collect()
    };
    assert_eq!(neglected(&touchpoints, "2025-03-15"), []);
    assert_eq!(neglected(&touchpoints, "2025-03-16"), [("O-5".to_string(), 500_000, 15)]);
    // The line falls when the best is signed, and nobody is alone at the top of six.
    touchpoints.push(touch("O-5", Contract, "2025-03-02"));
    assert_eq!(neglected(&touchpoints, "2025-03-16"), [("O-4".to_string(), 400_000, 15)]);
    touchpoints.extend([worth("O-6", 600_000), worth("O-7", 700_000)]);
    let ids: Vec<String> = neglected(&touchpoints, "2025-03-16").into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, ["O-7", "O-6"], "two of six are the top fifth");
}

#[test]
fn what_belongs_to_a_customer_belongs_to_his_opportunities() {
    let of_customer = |customer: &str| Touchpoint {
        opportunity_id: None,
        customer_id: Some(customer.into()),
        ..touch(customer, Visit, "2025-03-05")
    };
    let touchpoints = [
        touch("O-1", Message, "2025-03-01"),
        touch("O-2", Message, "2025-03-02"),
        of_customer("K-1"),
        of_customer("K-9"),
    ];
    let calls = [
        call("C-1", "2025-03-03"),
        CallTalk { opportunity_id: Some("O-2".into()), ..call("C-2", "2025-03-04") },
        CallTalk { customer_id: Some("K-8".into()), ..call("C-3", "2025-03-04") },
        CallTalk { at: None, ..call("C-4", "2025-03-04") },
        call("C-5", "2025-04-04"),
    ];
    let rows = journeys(&touchpoints, &calls, "2025-03-10".parse().unwrap(), &settings());
    let seen: Vec<(&str, u64, Vec<&str>)> = rows
        .iter()
        .map(|row| (row.opportunity_id.as_str(), row.health.touches, row.calls.iter().map(String::as_str).collect()))
        .collect();
    // Four touches without the customer: that comes first.
    assert_eq!(seen, [("O-2", 4, vec!["C-1", "C-2"]), ("K-9", 1, vec![]), ("O-1", 3, vec!["C-1"])]);
}

fn any_touchpoints() -> impl Strategy<Value = Vec<Touchpoint>> {
    let one = (0..TouchpointKind::ALL.len(), 1_i8..=28, proptest::option::of(0_i8..24), 0_u8..3);
    proptest::collection::vec(one, 1..14).prop_map(|all| {
        let touchpoint = |(index, (kind, day, hour, opportunity)): (usize, (usize, i8, Option<i8>, u8))| {
            let stamp = hour.map_or(format!("2025-02-{day:02}"), |hour| format!("2025-02-{day:02}T{hour:02}:00:00"));
            let made = touch(&format!("O-{opportunity}"), TouchpointKind::ALL[kind], &stamp);
            Touchpoint { row_id: index.to_string(), value_milli: Some(i64::from(day) * 1_000), ..made }
        };
        all.into_iter().enumerate().map(touchpoint).collect()
    })
}

proptest! {
    /// Points add up, only decided items count, the order of the import decides nothing, and what was met once stays met.
    #[test]
    fn rows_hold_together(touchpoints in any_touchpoints(), day in 1_i8..=28, later in 0_i8..40) {
        let as_of = jiff::civil::date(2025, 2, day);
        let rows = journeys(&touchpoints, &[], as_of, &settings());
        let mut turned = touchpoints.clone();
        turned.reverse();
        prop_assert_eq!(&journeys(&turned, &[], as_of, &settings()), &rows);
        let after = journeys(&touchpoints, &[], as_of + jiff::Span::new().days(later), &settings());
        for row in &rows {
            let total: i64 = row.items.iter().map(|item| item.possible).sum();
            prop_assert_eq!(total, 100_000);
            let open: i64 = row.items.iter().filter(|item| !item.state.is_decided()).map(|item| item.possible).sum();
            prop_assert_eq!(row.checklist_decided + open, 100_000);
            let missed: i64 = row.items_that_are(Missed).map(|item| item.possible).sum();
            prop_assert_eq!(row.checklist_points + missed, row.checklist_decided);
            prop_assert!((0..=100_000).contains(&row.health.points));
            let same = after.iter().find(|other| other.opportunity_id == row.opportunity_id).unwrap();
            for (before, now) in row.items.iter().zip(&same.items) {
                prop_assert!(before.state != Met || now.state == Met, "{} was met", before.id);
            }
        }
    }
}
