//! Signals: each definition of SCORING.md §1 on a small call, and the time identity on random ones.

use std::collections::{BTreeMap, BTreeSet};

use callmark_core::recording::Language;
use callmark_core::signals::{Metric, Signals, compute, questions};
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Sentiment, Transcript, Turn};
use proptest::prelude::*;

/// (role, begin_ms, end_ms, text, acts)
type Line<'a> = (Role, i64, i64, &'a str, &'a [&'a str]);

fn call(medium: Medium, duration_ms: i64, lines: &[Line]) -> (Transcript, Vec<BTreeMap<String, u16>>) {
    let turns: Vec<Turn> = lines
        .iter()
        .map(|(role, begin_ms, end_ms, text, _)| Turn {
            role: *role,
            begin_ms: *begin_ms,
            end_ms: *end_ms,
            text: text.to_string(),
            words: Vec::new(),
            confidence_permille: 1000,
        })
        .collect();
    let acts = lines.iter().map(|l| l.4.iter().map(|act| (act.to_string(), 1000)).collect()).collect();
    let text: String = turns.iter().map(|turn| turn.text.as_str()).collect();
    let transcript = Transcript {
        medium,
        language: Language::of_text(&text),
        duration_ms,
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1000,
        turns,
        ..Transcript::default()
    };
    (transcript, acts)
}

fn signals(duration_ms: i64, lines: &[Line]) -> Signals {
    let (transcript, acts) = call(Medium::Speech, duration_ms, lines);
    compute(&transcript, &[], &acts, &[], &[])
}

const REP: Role = Role::Rep;
const CUSTOMER: Role = Role::Customer;
/// Seven words, no listening signal among them.
const SEVEN: &str = "we offer three plans for small companies";

/// A menu before, a supervisor between, the next agent at the end: only the silence that they fill is gone.
#[test]
fn others_on_the_line_count_for_nobody() {
    let lines: &[Line] = &[
        (CUSTOMER, 20_000, 25_000, SEVEN, &[]),
        (REP, 26_000, 32_000, "may I ask what you need?", &["needs_question"]),
        (CUSTOMER, 33_000, 34_000, SEVEN, &[]),
        (REP, 44_000, 50_000, SEVEN, &[]),
    ];
    let (mut transcript, acts) = call(Medium::Speech, 70_000, lines);
    transcript.speech = lines.iter().map(|l| RoleSpan { role: l.0, begin_ms: l.1, end_ms: l.2 }).collect();
    let alone = compute(&transcript, &[], &acts, &[], &[]);
    for (role, begin_ms, end_ms) in
        [(Role::Ivr, 0, 15_000), (Role::Supervisor, 35_000, 43_000), (Role::TransferTarget, 45_000, 60_000)]
    {
        transcript.speech.push(RoleSpan { role, begin_ms, end_ms });
        let text = "may I ask you a question? how can I help?".to_string();
        let turn = Turn { role, begin_ms, end_ms, text, words: vec![], confidence_permille: 900 };
        transcript.other_turns.push(turn);
    }
    let with_others = compute(&transcript, &[], &acts, &[], &[]);
    assert_eq!((alone.silence_ms, alone.unexcused_silence_ms), (Some(52_000), Some(10_000)));
    assert_eq!((with_others.silence_ms, with_others.unexcused_silence_ms), (Some(19_000), Some(5_000)));
    // The rep's 10 s of waiting were the supervisor's.
    assert_eq!((alone.patience_ms, with_others.patience_ms), (Some(5_500), Some(1_000)));
    assert_eq!(with_others.silences.len(), 1, "{:?}", with_others.silences);
    let of_silence = |metric: &&Metric| !format!("{metric:?}").contains("Silence");
    let of_time = [Metric::TalkTimeMs, Metric::PatienceMs, Metric::ResponseLatencyRepMs, Metric::HoldMs];
    for metric in Metric::ALL.iter().filter(of_silence).filter(|metric| !of_time.contains(metric)) {
        assert_eq!(with_others.metric(*metric), alone.metric(*metric), "{}", metric.id());
    }
    assert_eq!((with_others.overtalk_ms, &with_others.overlaps), (Some(0), &alone.overlaps));
}

#[test]
fn talk_share_is_of_speech_and_not_of_duration() {
    let s = signals(100_000, &[(REP, 0, 30_000, SEVEN, &[]), (CUSTOMER, 40_000, 50_000, SEVEN, &[])]);
    assert_eq!(s.rep_talk_permille, Some(750));
    assert_eq!(s.customer_talk_permille, Some(250));
    assert_eq!(s.talk_time_ms, Some(40_000));
    assert_eq!(s.silence_ms, Some(60_000));
}

#[test]
fn interruption_needs_a_second_of_the_other_and_more_than_a_listening_signal() {
    let customer = (CUSTOMER, 0, 10_000, SEVEN, &[] as &[&str]);
    let cases = [
        ((REP, 999, 4_000, "wait a moment please", &[] as &[&str]), 0, "0.999 s in"),
        ((REP, 1_000, 4_000, "wait a moment please", &[]), 1, "1 s in"),
        ((REP, 5_000, 5_600, "uh-huh", &[]), 0, "back-channel"),
        ((REP, 5_000, 5_600, "no, stop", &[]), 1, "short, but no back-channel"),
        ((REP, 5_000, 6_500, "yes okay", &[]), 1, "as long as this is a contribution"),
        ((REP, 9_850, 12_000, "wait a moment please", &[]), 0, "turn-taking"),
        ((REP, 10_000, 12_000, "wait a moment please", &[]), 0, "the customer has finished"),
    ];
    for (rep, expected, why) in cases {
        let s = signals(60_000, &[customer, rep]);
        assert_eq!(s.interruptions_rep, Some(expected), "{why}");
        assert_eq!(s.interruptions_customer, Some(0), "{why}");
    }
    let s = signals(300_000, &[customer, (REP, 5_000, 8_000, "wait a moment please", &[])]);
    assert_eq!(s.interruptions_rep_per_10min_milli, Some(2_000));
    assert_eq!(s.overlaps.len(), 1);
    assert_eq!((s.overlaps[0].begin_ms, s.overlaps[0].end_ms, s.overlaps[0].by), (5_000, 8_000, REP));
    assert_eq!(s.overtalk_ms, Some(3_000));
}

#[test]
fn chinese_listening_signals_are_back_channels() {
    let s = signals(60_000, &[(CUSTOMER, 0, 9_000, "我想了解一下你们的产品", &[]), (REP, 4_000, 4_700, "嗯,对", &[])]);
    assert_eq!(s.interruptions_rep, Some(0));
    assert_eq!(s.longest_monologue_customer_ms, Some(9_000));
}

#[test]
fn silence_announced_by_the_rep_is_excused() {
    let lines = |act: &'static [&'static str]| {
        [
            (REP, 0, 5_000, "one moment please i will check", act),
            (CUSTOMER, 5_500, 6_500, "sure take your time", &[]),
            (REP, 26_500, 30_000, SEVEN, &[]),
            (CUSTOMER, 33_000, 36_000, SEVEN, &[]), // a gap of exactly 3 s is none
            (REP, 40_000, 44_000, SEVEN, &[]),
        ]
    };
    let excused = signals(50_000, &lines(&["hold_request"]));
    assert_eq!(excused.silences.iter().map(|s| s.explained).collect::<Vec<_>>(), [true, false]);
    assert_eq!(excused.unexcused_silence_ms, Some(4_000));
    assert_eq!(excused.unexcused_silence_permille, Some(80));
    assert_eq!(excused.longest_unexcused_silence_ms, Some(4_000));
    let unexcused = signals(50_000, &lines(&[]));
    assert_eq!(unexcused.unexcused_silence_ms, Some(24_000));
}

#[test]
fn response_latency_is_a_median_with_starts_over_the_customer() {
    let s = signals(
        60_000,
        &[
            (CUSTOMER, 0, 5_000, SEVEN, &[]),
            (REP, 5_400, 8_000, SEVEN, &[]),
            (CUSTOMER, 8_500, 12_000, SEVEN, &[]),
            (REP, 13_000, 16_000, SEVEN, &[]),
            (CUSTOMER, 16_500, 20_000, SEVEN, &[]),
            (REP, 19_500, 24_000, SEVEN, &[]),
        ],
    );
    assert_eq!(s.response_latency_rep_ms, Some(400));
    assert_eq!(s.patience_ms, Some(700)); // of 400 and 1000
    assert_eq!(s.interactivity_milli_per_min, Some(5_000));
}

#[test]
fn pace_is_on_own_speech_time_in_the_unit_of_the_language() {
    let en = signals(60_000, &[(REP, 0, 6_000, "Well, we offer three plans — for small companies!", &[])]);
    assert_eq!(en.pace_rep, Some(80)); // 8 words in 6 s
    let zh = signals(60_000, &[(REP, 0, 4_000, "您好,我们有三种方案。", &[])]);
    assert_eq!(zh.pace_rep, Some(135)); // 9 characters in 4 s
    assert_eq!(signals(60_000, &[(REP, 0, 500, "hello", &[])]).pace_rep, None);
}

#[test]
fn monologue_ends_with_the_other_speaking_or_a_silence_but_not_with_a_back_channel() {
    let s = signals(
        300_000,
        &[
            (REP, 0, 60_000, SEVEN, &[]),
            (CUSTOMER, 60_200, 60_900, "okay", &[]),
            (REP, 61_500, 130_000, SEVEN, &[]),
            (CUSTOMER, 130_500, 140_000, SEVEN, &[]),
            (REP, 141_000, 150_000, SEVEN, &[]),
            (REP, 160_000, 170_000, SEVEN, &[]),
        ],
    );
    assert_eq!(s.longest_monologue_rep_ms, Some(130_000));
    assert_eq!(s.longest_monologue_customer_ms, Some(9_500));
    assert_eq!(s.longest_monologue_ms, Some(130_000));
    // The customer cuts in for five seconds while the rep talks on.
    let cut = signals(300_000, &[(REP, 0, 60_000, SEVEN, &[]), (CUSTOMER, 40_000, 45_000, SEVEN, &[])]);
    assert_eq!(cut.longest_monologue_rep_ms, Some(40_000));
}

#[test]
fn a_short_yes_to_a_question_takes_the_floor() {
    let lines = |text| {
        [
            (REP, 0, 10_000, text, &[] as &[&str]),
            (CUSTOMER, 10_300, 10_900, "yes", &[]),
            (REP, 11_200, 20_000, SEVEN, &[]),
        ]
    };
    assert_eq!(signals(60_000, &lines("Do you have a car?")).longest_monologue_rep_ms, Some(10_000));
    assert_eq!(signals(60_000, &lines(SEVEN)).longest_monologue_rep_ms, Some(20_000));
}

#[test]
fn questions_are_counted_with_and_without_marks() {
    for (text, expected) in [
        ("How are you? What's your name?", 2),
        ("Really?!", 1),
        ("okay so what is your date of birth", 1),
        ("hello this is anna how are you today", 1),
        ("thanks and what kind of car do you drive", 2),
        ("I know what you mean.", 0),
        ("Tell me what is wrong.", 0),
        ("It is what it is.", 0),
        ("Do you have a minute.", 1),
        ("When you call us we will help you.", 0),
        ("The plan that you have is fine.", 0),
        ("您贵姓", 1),
        ("请问您现在用的是什么套餐,每月多少钱", 2),
        ("您方便吗?", 1),
        ("没什么问题", 0),
        ("我们的价格很便宜", 0),
        ("", 0),
    ] {
        assert_eq!(questions(text), expected, "{text}");
    }
}

#[test]
fn objections_count_as_answered_within_four_rep_turns() {
    let objection: Line = (CUSTOMER, 0, 2_000, "that is too expensive", &["price_objection"]);
    let filler = |i: i64| (REP, 10_000 * i, 10_000 * i + 2_000, SEVEN, &[] as &[&str]);
    let answer = |i: i64| (REP, 10_000 * i, 10_000 * i + 2_000, SEVEN, &["objection_answer"] as &[&str]);
    let at = |answered: i64| -> Signals {
        let mut lines = vec![objection];
        lines.extend((1..answered).map(filler));
        lines.push(answer(answered));
        signals(100_000, &lines)
    };
    assert_eq!(at(4).objections_answered_permille, Some(1000));
    assert_eq!(at(5).objections_answered_permille, Some(0));
    assert_eq!(
        signals(60_000, &[(CUSTOMER, 0, 2_000, SEVEN, &[]), filler(1)]).objections_answered_permille,
        None,
        "no objection, nothing to answer"
    );
    // A rep turn that is called an objection is none of the customer's.
    assert_eq!(
        signals(60_000, &[(CUSTOMER, 0, 2_000, SEVEN, &[]), (REP, 3_000, 4_000, SEVEN, &["objection"])]).objections,
        Some(0)
    );
}

#[test]
fn every_listed_act_counts() {
    let (transcript, mut acts) = call(Medium::Speech, 60_000, &[(REP, 0, 4_000, SEVEN, &["empathy"])]);
    let mut with = |p| {
        acts[0].insert("empathy".into(), p);
        compute(&transcript, &[], &acts, &[], &[]).empathy_phrases
    };
    // From which probability on an act is listed differs from act to act, and was decided before (core::acts).
    assert_eq!((with(150), with(1000)), (Some(1), Some(1)));
    acts[0].clear();
    assert_eq!(compute(&transcript, &[], &acts, &[], &[]).empathy_phrases, Some(0));
}

fn stages(of_turns: &[&[&str]]) -> (Option<i64>, Option<i64>) {
    let lines: Vec<Line> = of_turns.iter().map(|_| (REP, 0, 1_000, SEVEN, &[] as &[&str])).collect();
    let (transcript, acts) = call(Medium::Text, 0, &lines);
    let seen: Vec<BTreeSet<String>> = of_turns.iter().map(|s| s.iter().map(|s| s.to_string()).collect()).collect();
    let script = ["opening", "needs", "proposal", "close"].map(String::from);
    let s = compute(&transcript, &[], &acts, &seen, &script);
    (s.stage_coverage_permille, s.stage_order_permille)
}

#[test]
fn stages_need_turns_of_their_own_and_order_is_the_longest_increasing_subsequence() {
    assert_eq!(stages(&[&["opening"], &["needs"], &[], &["proposal"], &["close"]]), (Some(1000), Some(1000)));
    assert_eq!(stages(&[&["opening"], &["needs"], &["close"]]), (Some(750), Some(1000)));
    assert_eq!(stages(&[&["opening"], &["proposal"], &["needs"], &["close"]]), (Some(1000), Some(750)));
    assert_eq!(stages(&[&["close"], &["proposal"], &["needs"], &["opening"]]), (Some(1000), Some(250)));
    assert_eq!(stages(&[&["opening", "needs", "proposal", "close"]]), (Some(250), Some(1000)));
    // Kuhn's matching must move `opening` to the second turn.
    assert_eq!(stages(&[&["opening", "needs"], &["opening"]]), (Some(500), Some(1000)));
    assert_eq!(stages(&[&[], &["small_talk"]]), (Some(0), None));
}

#[test]
fn sentiment_is_weighted_by_length_per_quarter_of_the_call() {
    let of = |negative, positive| {
        Some(Sentiment {
            negative_permille: negative,
            neutral_permille: 1000 - negative - positive,
            positive_permille: positive,
        })
    };
    let (transcript, acts) = call(
        Medium::Speech,
        40_000,
        &[
            (CUSTOMER, 0, 5_000, SEVEN, &[]),
            (REP, 6_000, 7_000, SEVEN, &[]),
            (CUSTOMER, 8_000, 12_000, SEVEN, &[]), // half in the first, half in the second quarter
            (CUSTOMER, 32_000, 40_000, SEVEN, &[]),
        ],
    );
    let s = compute(&transcript, &[of(800, 0), of(0, 1000), of(0, 200), of(0, 600)], &acts, &[], &[]);
    // (5 s × −4 + 2 s × 1) / 7 s
    assert_eq!(s.sentiment_customer_quarters_milli, [Some(-2_571), Some(1_000), None, Some(3_000)]);
    assert_eq!(s.sentiment_customer_shift_milli, Some(5_571));
    assert_eq!(s.sentiment_customer_recovered_permille, Some(1000));
    // (5 × −4 + 4 × 1 + 8 × 3) / 17; the rep's own mood is not in it
    assert_eq!(s.sentiment_customer_milli, Some(471));
}

#[test]
fn text_has_no_times_but_keeps_what_was_said() {
    let (transcript, acts) = call(
        Medium::Text,
        0,
        &[
            (REP, 0, 0, "Hello, how can I help?", &[]),
            (CUSTOMER, 0, 0, "too expensive", &["price_objection"]),
            (REP, 0, 0, "it pays for itself", &["objection_answer"]),
        ],
    );
    let s = compute(&transcript, &[], &acts, &[], &[]);
    let timed = [
        Metric::RepTalkSharePermille,
        Metric::PaceRep,
        Metric::DurationMs,
        Metric::TalkTimeMs,
        Metric::PatienceMs,
        Metric::ResponseLatencyRepMs,
        Metric::UnexcusedSilencePermille,
        Metric::InterruptionsRepPer10minMilli,
        Metric::LongestMonologueRepMs,
        Metric::InteractivityMilliPerMin,
    ];
    assert!(timed.iter().all(|metric| s.metric(*metric).is_none()));
    assert_eq!(s.questions_rep, Some(1));
    assert_eq!(s.objections_answered_permille, Some(1000));
}

#[test]
fn metric_ids_are_unique_and_parse_back() {
    let ids: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.id()).collect();
    assert_eq!(ids.len(), Metric::ALL.len());
    for metric in Metric::ALL {
        assert_eq!(Metric::parse(metric.id()), Some(*metric));
        assert!(metric.doc().contains(':') || metric.doc().contains(';') || metric.doc().contains("minute"));
    }
    assert_eq!(Metric::parse("rep_talk_share"), None);
}

proptest! {
    // Every case marks each millisecond of minutes.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// REQUIREMENTS A.6: the times of a call add up, whatever the spans.
    #[test]
    fn speech_plus_silence_less_overtalk_is_the_duration(
        spans in prop::collection::vec((0..3usize, 0..200_000i64, -100..20_000i64), 0..40),
        tail in 0..50_000i64,
    ) {
        let roles = [Role::Rep, Role::Customer, Role::Unknown];
        let (mut transcript, acts) = call(Medium::Speech, 0, &[]);
        transcript.speech = spans
            .iter()
            .map(|(role, begin_ms, length)| RoleSpan { role: roles[*role], begin_ms: *begin_ms, end_ms: begin_ms + length })
            .collect();
        transcript.duration_ms = transcript.speech.iter().map(|s| s.end_ms).max().unwrap_or(0).max(0) + tail;
        let s = compute(&transcript, &[], &acts, &[], &[]);
        // Counted millisecond by millisecond: another way than merging spans.
        let mut speaking = vec![[false; 3]; transcript.duration_ms as usize];
        for (role, begin_ms, length) in &spans {
            for ms in *begin_ms..begin_ms + length.max(&0) {
                speaking[ms as usize][*role] = true;
            }
        }
        let count = |role: usize| speaking.iter().filter(|at| at[role]).count() as i64;
        let speech: i64 = (0..3).map(count).sum();
        let silence = speaking.iter().filter(|at| **at == [false; 3]).count() as i64;
        prop_assert_eq!(s.silence_ms, Some(silence));
        prop_assert_eq!(speech + s.silence_ms.unwrap() - s.overtalk_ms.unwrap(), transcript.duration_ms);
        prop_assert_eq!(s.talk_time_ms.unwrap() + s.silence_ms.unwrap(), transcript.duration_ms);
        if count(0) + count(1) > 0 {
            let share = 1000 * count(0) as i128 * 2 + (count(0) + count(1)) as i128;
            prop_assert_eq!(s.rep_talk_permille.unwrap() as i128, share / (2 * (count(0) + count(1)) as i128));
        }
    }
}

// ---- Generated conversations whose truth is known to the millisecond ------------------------------------------------------

mod generated {
    use callmark_core::transcript::{Sound, SoundKind, VoiceSpan};
    use proptest::prelude::*;

    use super::*;

    /// What happens between two turns.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// The other answers after so long.
        Answer(i64),
        /// The other starts so long before the end, at least 1 s in.
        Interrupt(i64),
        /// The same speaker goes on after a silence of more than 3 s.
        Silence(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<(Step, i64, usize)>> {
        let step = prop_oneof![
            4 => (0_i64..2_900).prop_map(Step::Answer),
            1 => (200_i64..1_500).prop_map(Step::Interrupt),
            1 => (3_001_i64..20_000).prop_map(Step::Silence),
        ];
        // Turns are long enough that an interruption finds the other 1 s in and stays inside both turns.
        prop::collection::vec((step, 4_000_i64..15_000, 5_usize..40), 2..40)
    }

    proptest! {
        /// Tolerance 0 ms for times and counts; pace and shares are rounded to their unit.
        #[test]
        fn signals_equal_the_truth(plan in steps(), tail_ms in 0_i64..5_000) {
            let mut turns: Vec<(Role, i64, i64, usize)> = Vec::new();
            let (mut overtalk, mut dead_air) = (0, 0);
            let mut interruptions = BTreeMap::from([(REP, 0_i64), (CUSTOMER, 0)]);
            let (mut latencies, mut switches) = (Vec::new(), 0_i64);
            for (step, length, words) in &plan {
                let (role, begin) = match (turns.last(), step) {
                    (None, _) => (REP, 0),
                    (Some((last, _, end, _)), step) => {
                        let other = if *last == REP { CUSTOMER } else { REP };
                        match step {
                            Step::Answer(wait) => (other, end + wait),
                            Step::Interrupt(over) => (other, end - over),
                            Step::Silence(pause) => (*last, end + pause),
                        }
                    }
                };
                if let Some((last, _, end, _)) = turns.last() {
                    match step {
                        Step::Interrupt(over) => {
                            overtalk += over;
                            *interruptions.entry(role).or_default() += 1;
                        }
                        Step::Silence(pause) => dead_air += pause,
                        Step::Answer(_) => {}
                    }
                    if *last != role {
                        switches += 1;
                        if role == REP {
                            latencies.push(begin - end);
                        }
                    }
                }
                turns.push((role, begin, begin + length, *words));
            }
            let texts: Vec<String> = turns.iter().map(|(.., words)| vec!["plans"; *words].join(" ")).collect();
            let lines: Vec<Line> =
                turns.iter().zip(&texts).map(|((role, b, e, _), text)| (*role, *b, *e, text.as_str(), &[][..])).collect();
            let duration = turns.iter().map(|t| t.2).max().unwrap_or(0) + tail_ms;
            let s = signals(duration, &lines);
            let sum = |role| turns.iter().filter(|t| t.0 == role).map(|t| t.2 - t.1).sum::<i64>();
            let (rep, customer) = (sum(REP), sum(CUSTOMER));
            prop_assert_eq!(s.overtalk_ms, Some(overtalk));
            prop_assert_eq!(s.talk_time_ms, Some(rep + customer - overtalk));
            prop_assert_eq!(s.unexcused_silence_ms, Some(dead_air));
            prop_assert_eq!(s.hold_ms, Some(0));
            prop_assert_eq!(s.interruptions_rep, Some(interruptions[&REP]));
            prop_assert_eq!(s.interruptions_customer, Some(interruptions[&CUSTOMER]));
            let per_minute = switches * 60_000_000;
            prop_assert!((s.interactivity_milli_per_min.unwrap() - per_minute / duration).abs() <= 1);
            prop_assert!((s.rep_talk_permille.unwrap() - 1000 * rep / (rep + customer)).abs() <= 1);
            latencies.sort_unstable();
            let middle = latencies.len() / 2;
            let median = match latencies.len() {
                0 => None,
                n if n % 2 == 1 => Some(latencies[middle]),
                _ => Some((latencies[middle - 1] + latencies[middle]).div_euclid(2)),
            };
            match (s.response_latency_rep_ms, median) {
                (Some(found), Some(truth)) => prop_assert!((found - truth).abs() <= 1, "{found} {truth}"),
                (found, truth) => prop_assert_eq!(found, truth),
            }
            let said = |role| turns.iter().filter(|t| t.0 == role).map(|t| t.3 as i64).sum::<i64>();
            prop_assert!((s.pace_rep.unwrap() - said(REP) * 60_000 / rep).abs() <= 1);
            if customer > 0 {
                prop_assert!((s.pace_customer.unwrap() - said(CUSTOMER) * 60_000 / customer).abs() <= 1);
            }
        }

        /// Loudness within 1/100 dB, pitch within 1 cent, whatever the stretches' lengths.
        #[test]
        fn loudness_and_pitch_equal_the_truth(
            spans in prop::collection::vec((1_000_i64..9_000, -4_000_i32..-900, 0_i32..2_500, 0_i32..400), 1..20),
        ) {
            let (mut transcript, acts) = call(Medium::Speech, 400_000, &[(REP, 0, 1_000, SEVEN, &[])]);
            let mut at = 0;
            let (mut weights, mut power, mut sum, mut squares) = (0.0, 0.0, 0.0, 0.0);
            for (length, level, pitch, spread) in &spans {
                transcript.voice.push(VoiceSpan {
                    role: CUSTOMER,
                    begin_ms: at,
                    end_ms: at + length,
                    level_centi_dbfs: *level,
                    voiced_ms: *length as i32,
                    pitch_cents: *pitch,
                    pitch_spread_cents: *spread,
                });
                at += length;
                let w = *length as f64;
                weights += w;
                power += w * 10_f64.powf(f64::from(*level) / 1000.0);
                sum += w * f64::from(*pitch);
                squares += w * (f64::from(*spread).powi(2) + f64::from(*pitch).powi(2));
            }
            let s = compute(&transcript, &[], &acts, &[], &[]);
            let near = |found: Option<i64>, truth: f64| (found.unwrap() as f64 - truth).abs() <= 1.0;
            let mean = sum / weights;
            prop_assert!(near(s.loudness_customer_centi_dbfs, 1000.0 * (power / weights).log10()));
            prop_assert!(near(s.pitch_customer_cents, mean));
            prop_assert!(near(s.pitch_variation_customer_cents, (squares / weights - mean * mean).max(0.0).sqrt()));
            prop_assert_eq!(s.pitch_rep_cents, None);
        }
    }

    #[test]
    fn hold_is_music_or_announced() {
        let lines: &[Line] = &[
            (REP, 0, 5_000, SEVEN, &[]),
            (CUSTOMER, 15_000, 20_000, SEVEN, &[]),
            (REP, 21_000, 25_000, SEVEN, &["hold_request"]),
            (REP, 35_000, 40_000, SEVEN, &[]),
        ];
        let (mut transcript, acts) = call(Medium::Speech, 40_000, lines);
        assert_eq!(compute(&transcript, &[], &acts, &[], &[]).hold_ms, Some(10_000));
        transcript.sounds.push(Sound { kind: SoundKind::Music, role: REP, begin_ms: 5_000, end_ms: 12_000 });
        assert_eq!(compute(&transcript, &[], &acts, &[], &[]).hold_ms, Some(20_000));
    }

    #[test]
    fn the_line_that_closes_first_hung_up() {
        let (mut transcript, acts) = call(Medium::Speech, 60_000, &[(REP, 0, 5_000, SEVEN, &[])]);
        let hung_up = |transcript: &Transcript| compute(transcript, &[], &acts, &[], &[]).hung_up_by;
        assert_eq!(hung_up(&transcript), None);
        transcript.sounds.push(Sound { kind: SoundKind::Closed, role: CUSTOMER, begin_ms: 58_000, end_ms: 60_000 });
        assert_eq!(hung_up(&transcript), Some(CUSTOMER));
        transcript.sounds.push(Sound { kind: SoundKind::Closed, role: REP, begin_ms: 57_000, end_ms: 60_000 });
        assert_eq!(hung_up(&transcript), Some(REP));
        transcript.sounds[0].begin_ms = 57_100;
        assert_eq!(hung_up(&transcript), None, "both at once say nothing");
    }

    #[test]
    fn pace_and_energy_change_from_the_first_to_the_last_quarter() {
        let fast = [SEVEN, SEVEN].join(" ");
        let lines: &[Line] = &[
            (CUSTOMER, 0, 10_000, SEVEN, &[]),
            (REP, 40_000, 50_000, SEVEN, &[]),
            (CUSTOMER, 90_000, 100_000, &fast, &[]),
        ];
        let s = signals(100_000, lines);
        assert_eq!(s.pace_customer_quarters, [Some(42), None, None, Some(84)]);
        assert_eq!(s.pace_customer_change_permille, Some(1000));
    }
}
