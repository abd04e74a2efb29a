//! English messages: sentence case, about calls and moments.

use callmark_core::journey::{ItemState, MentionKind, OpportunityStatus, TouchpointKind};
use callmark_core::performance::{CoachingVerdict, GroupGap, IndicatorKind, Measure, Stage, WeakStage, WeightProfile};
use callmark_core::record::{Decision, Outcome, Severity, Status, UnscoredReason, Verdict};
use callmark_core::recording::{Direction, Language};
use callmark_core::signals::Metric;
use callmark_core::transcript::{Role, RoleMethod};
use jiff::civil::Weekday;

use super::Messages;
use crate::clips::NoClips;

fn calls(n: u64) -> String {
    if n == 1 { "1 call".to_string() } else { format!("{n} calls") }
}

pub static MESSAGES: Messages = Messages {
    language: Language::En,
    tag: "en",

    status: |status| match status {
        Status::Scored => "scored",
        Status::Unscored => "no score",
        Status::PendingReview => "waits for review",
        Status::Failed => "failed",
    },
    verdict: |verdict| match verdict {
        Verdict::Pass => "pass",
        Verdict::Coach => "coach",
        Verdict::Flag => "flag",
        Verdict::AutoFail => "auto-fail",
    },
    outcome: |outcome| match outcome {
        Outcome::Met => "met",
        Outcome::Missed => "not found",
        Outcome::Violated => "found",
        Outcome::Clear => "clear",
        Outcome::NotApplicable => "not applicable",
        Outcome::Unknown => "undecided",
    },
    severity: |severity| match severity {
        Severity::Fatal => "fatal",
        Severity::Major => "major",
        Severity::Minor => "minor",
        Severity::Bonus => "bonus",
        Severity::Advisory => "advisory",
    },
    reason: |reason| match reason {
        UnscoredReason::TooShort => "too short",
        UnscoredReason::OneSided => "only one side speaks",
        UnscoredReason::MonoRolesUnknown => "one channel, speakers not told apart",
        UnscoredReason::RoleUncertain => "unsure who is the rep",
        UnscoredReason::LowRecogniserConfidence => "words recognised with low confidence",
        UnscoredReason::WrongLanguage => "language not supported by the model",
        UnscoredReason::Voicemail => "voicemail",
        UnscoredReason::Ivr => "menu system",
        UnscoredReason::NoConversation => "no conversation",
        UnscoredReason::NotAnswered => "not answered",
        UnscoredReason::Busy => "line busy",
        UnscoredReason::Fax => "fax",
        UnscoredReason::NoScorecard => "no scorecard for this call",
        UnscoredReason::NothingApplicable => "nothing on the scorecard applies",
    },
    remedy: |reason| match reason {
        UnscoredReason::TooShort => "Nothing to do: less than 30 s of speech cannot be judged.",
        UnscoredReason::OneSided => "Check that both sides are recorded; listen to one of these calls.",
        UnscoredReason::MonoRolesUnknown => {
            "Record in stereo, one channel per side, or give transcripts with speaker names."
        }
        UnscoredReason::RoleUncertain => "Set `channels` in callmark.toml if the channel of the rep is known.",
        UnscoredReason::LowRecogniserConfidence => {
            "Use a larger recognition model (`callmark models list`), or add product names to `vocabulary`."
        }
        UnscoredReason::WrongLanguage => "Use a model that knows the language of these calls.",
        UnscoredReason::Voicemail => "Nothing to do: a greeting is not a conversation.",
        UnscoredReason::Ivr => "Nothing to do: a menu is not a conversation.",
        UnscoredReason::NoConversation => "Listen to one of these calls: silence points to the recording system.",
        UnscoredReason::NotAnswered | UnscoredReason::Busy => "Nothing to do: nobody was reached.",
        UnscoredReason::Fax => "Nothing to do; take a customer's number that is a fax off the list.",
        UnscoredReason::NoScorecard => "Add a [[route]] for these calls to callmark.toml.",
        UnscoredReason::NothingApplicable => "Check whether the scorecard of the route is meant for these calls.",
    },
    role: |role| match role {
        Role::Rep => "Rep",
        Role::Customer => "Customer",
        Role::Unknown => "Speaker",
        Role::Ivr => "IVR",
        Role::Supervisor => "Supervisor",
        Role::TransferTarget => "Transfer target",
    },
    role_method: |method| match method {
        RoleMethod::ChannelMap => "channel map",
        RoleMethod::Inferred => "what is said",
        RoleMethod::Labelled => "names in the transcript",
        RoleMethod::Reviewed => "a person",
        RoleMethod::None => "nothing",
    },
    direction: |direction| match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    },
    decision: |decision| match decision {
        Decision::Agree => "agreed",
        Decision::Overturn => "overturned",
        Decision::Comment => "commented",
    },
    metric: |metric| match metric {
        Metric::RepTalkSharePermille => "talk share of the rep",
        Metric::LongestMonologueRepMs => "longest monologue of the rep",
        Metric::LongestMonologueCustomerMs => "longest monologue of the customer",
        Metric::InterruptionsRepPer10minMilli => "interruptions by the rep per 10 min",
        Metric::InterruptionsCustomerPer10minMilli => "interruptions by the customer per 10 min",
        Metric::UnexcusedSilencePermille => "unannounced silence",
        Metric::LongestUnexcusedSilenceMs => "longest unannounced silence",
        Metric::ResponseLatencyRepMs => "time to answer of the rep",
        Metric::PaceRep => "pace of the rep",
        Metric::PaceCustomer => "pace of the customer",
        Metric::NeedsQuestions => "questions about the need",
        Metric::QuestionsRep => "questions of the rep",
        Metric::NeedsRestated => "needs restated",
        Metric::SpinKinds => "kinds of SPIN question",
        Metric::StageCoveragePermille => "script stages covered",
        Metric::StageOrderPermille => "script stages in order",
        Metric::ObjectionsAnsweredPermille => "objections answered",
        Metric::SentimentCustomerLastQuarterMilli => "customer sentiment at the end",
        Metric::SentimentCustomerShiftMilli => "change of customer sentiment",
        Metric::SentimentCustomerRecoveredPermille => "customer sentiment recovered",
        Metric::DatedNextSteps => "next steps with a date",
        Metric::SummaryConfirmed => "summary confirmed",
        Metric::PatienceMs => "patience",
        Metric::InteractivityMilliPerMin => "changes of speaker per minute",
        Metric::EmpathyPhrases => "phrases of empathy",
        Metric::DurationMs => "duration",
        Metric::TalkTimeMs => "talk time",
        Metric::HoldMs => "hold (music or announced)",
        Metric::QuestionsRepMilliPerMin => "questions per minute, rep",
        Metric::PaceCustomerChangePermille => "customer pace change",
        Metric::LoudnessRepCentiDbfs => "loudness, rep",
        Metric::LoudnessCustomerCentiDbfs => "loudness, customer",
        Metric::LoudnessRepGradeMilli => "loudness grade, rep",
        Metric::LoudnessCustomerGradeMilli => "loudness grade, customer",
        Metric::EnergyCustomerChangeCentiDb => "customer energy change",
        Metric::PitchRepCents => "mean pitch, rep",
        Metric::PitchCustomerCents => "mean pitch, customer",
        Metric::PitchVariationRepCents => "pitch variation, rep",
        Metric::PitchVariationCustomerCents => "pitch variation, customer",
    },
    metric_what: |metric| match metric {
        Metric::RepTalkSharePermille => "Share of the rep's speech in all speech.",
        Metric::LongestMonologueRepMs => {
            "Longest stretch in which the rep speaks and the customer at most says yes or hm."
        }
        Metric::LongestMonologueCustomerMs => {
            "Longest stretch in which the customer speaks and the rep at most says yes or hm."
        }
        Metric::InterruptionsRepPer10minMilli => {
            "How often the rep starts over a customer who is already speaking, per 10 minutes."
        }
        Metric::InterruptionsCustomerPer10minMilli => {
            "How often the customer starts over a rep who is already speaking, per 10 minutes."
        }
        Metric::UnexcusedSilencePermille => "Share of the call in gaps over 3 s that the rep did not announce.",
        Metric::LongestUnexcusedSilenceMs => "The longest gap over 3 s that the rep did not announce.",
        Metric::ResponseLatencyRepMs => {
            "Median time from the customer's last word to the rep's first; negative when the rep starts early."
        }
        Metric::PaceRep => "Words per minute (Chinese: characters per minute) of the rep's own speech.",
        Metric::PaceCustomer => "Words per minute (Chinese: characters per minute) of the customer's own speech.",
        Metric::NeedsQuestions => "Turns of the rep that ask what the customer needs.",
        Metric::QuestionsRep => "Questions of the rep.",
        Metric::NeedsRestated => "Turns in which the rep says back what the customer needs.",
        Metric::SpinKinds => "Distinct kinds of question: situation, problem, implication, payoff.",
        Metric::StageCoveragePermille => "Share of the script's stages that occurred.",
        Metric::StageOrderPermille => "Share of the stages seen that came in the script's order.",
        Metric::ObjectionsAnsweredPermille => {
            "Share of the customer's objections answered within four turns of the rep."
        }
        Metric::SentimentCustomerLastQuarterMilli => {
            "Sentiment of the customer's words in the last quarter of the call, −5 to +5."
        }
        Metric::SentimentCustomerShiftMilli => {
            "Sentiment of the customer's words in the last quarter less the first, −10 to +10."
        }
        Metric::SentimentCustomerRecoveredPermille => "A customer who began unhappy and ended content.",
        Metric::DatedNextSteps => "Turns in which the rep names a next step with a date or time.",
        Metric::SummaryConfirmed => "The customer confirms a summary of the rep.",
        Metric::PatienceMs => "Median wait of the rep after the customer has finished.",
        Metric::InteractivityMilliPerMin => "Changes of speaker per minute of call.",
        Metric::EmpathyPhrases => "Turns in which the rep shows understanding.",
        Metric::HoldMs => "Pauses over 3 s that the rep announced, or in which music plays.",
        Metric::QuestionsRepMilliPerMin => "Questions of the rep for each minute of the call.",
        Metric::PaceCustomerChangePermille => "How much faster the customer speaks at the end than at the beginning.",
        Metric::LoudnessRepCentiDbfs => "How loud the rep's speech is on the line.",
        Metric::LoudnessCustomerCentiDbfs => "How loud the customer's speech is on the line.",
        Metric::LoudnessRepGradeMilli => "The rep's loudness as a grade from 1 to 10.",
        Metric::LoudnessCustomerGradeMilli => "The customer's loudness as a grade from 1 to 10.",
        Metric::EnergyCustomerChangeCentiDb => "How much louder the customer speaks at the end than at the beginning.",
        Metric::PitchRepCents => "How high the rep's voice is.",
        Metric::PitchCustomerCents => "How high the customer's voice is.",
        Metric::PitchVariationRepCents => "How much the rep's voice goes up and down.",
        Metric::PitchVariationCustomerCents => "How much the customer's voice goes up and down.",
        Metric::DurationMs => "Length of the call.",
        Metric::TalkTimeMs => "Time in which somebody speaks.",
    },
    metric_coach: |metric| match metric {
        Metric::RepTalkSharePermille => "Ask one open question, then wait for the whole answer.",
        Metric::LongestMonologueRepMs => "Stop after two sentences and ask whether that fits.",
        Metric::LongestMonologueCustomerMs => "Sum up what was said so far, and let the customer go on.",
        Metric::InterruptionsRepPer10minMilli => "Let the customer finish; count to one before you answer.",
        Metric::InterruptionsCustomerPer10minMilli => "Shorter answers leave less to interrupt.",
        Metric::UnexcusedSilencePermille | Metric::LongestUnexcusedSilenceMs => {
            "Say before you look something up: give me a moment, I am opening your contract."
        }
        Metric::ResponseLatencyRepMs => "Leave half a second after the customer's last word, not three.",
        Metric::PaceRep => "Speak at the customer's pace; slow down for numbers and terms.",
        Metric::PaceCustomer => "Match the customer's pace.",
        Metric::NeedsQuestions | Metric::QuestionsRep => {
            "Ask about the situation before anything is offered: what matters most to you?"
        }
        Metric::NeedsRestated => "Say it back in one sentence: so you need …, is that right?",
        Metric::SpinKinds => "After the situation, ask what the problem costs and what a solution would be worth.",
        Metric::StageCoveragePermille => "Keep the script's stages beside the screen and tick them off.",
        Metric::StageOrderPermille => "First the need, then the offer, then the next step.",
        Metric::ObjectionsAnsweredPermille => {
            "Take up each objection at once: I understand, may I ask what you compare it with?"
        }
        Metric::SentimentCustomerLastQuarterMilli | Metric::SentimentCustomerShiftMilli => {
            "End with what was agreed and a thank-you; ask whether anything is left open."
        }
        Metric::SentimentCustomerRecoveredPermille => "Name the trouble first, then say what happens next.",
        Metric::DatedNextSteps => "Close with a day and a time: I will call you on Thursday at ten.",
        Metric::SummaryConfirmed => "Sum up in one sentence and ask: is that right?",
        Metric::PatienceMs => "Wait a moment after the customer has finished.",
        Metric::InteractivityMilliPerMin => "Short turns and questions keep it a conversation.",
        Metric::EmpathyPhrases => "Say that you understand before you explain.",
        Metric::HoldMs
        | Metric::QuestionsRepMilliPerMin
        | Metric::PaceCustomerChangePermille
        | Metric::LoudnessRepCentiDbfs
        | Metric::LoudnessCustomerCentiDbfs
        | Metric::LoudnessRepGradeMilli
        | Metric::LoudnessCustomerGradeMilli
        | Metric::EnergyCustomerChangeCentiDb
        | Metric::PitchRepCents
        | Metric::PitchCustomerCents
        | Metric::PitchVariationRepCents
        | Metric::PitchVariationCustomerCents => "Listen to these stretches before drawing a conclusion.",
        Metric::DurationMs | Metric::TalkTimeMs => "Look at what takes the time before making it shorter.",
    },
    dimension: |id| {
        Some(match id {
            "compliance" => "Compliance",
            "script_flow" => "Script flow",
            "discovery" => "Discovery",
            "handling" => "Handling",
            "customer_emotion" => "Customer emotion",
            "close" => "Close",
            _ => return None,
        })
    },
    warning: |warning, values| {
        let values: Vec<&dyn std::fmt::Display> = values.iter().map(|value| value as &dyn std::fmt::Display).collect();
        warning.with(&values)
    },
    dropped: |guard| {
        Some(match guard {
            "unreadable_cue" => "unreadable caption cues",
            "line_before_first_speaker" => "lines before the first speaker",
            "system_message" => "system messages",
            "too_quiet" => "segments that are too quiet",
            "no_speech" => "segments without speech",
            "repetition" => "segments that repeat themselves",
            "phantom_phrase" => "phrases that nobody said",
            "not_speech_tag" => "marks of music or noise",
            "low_probability" => "segments of low probability",
            "too_fast" => "segments faster than anybody speaks",
            "babble" => "segments of many voices at once",
            _ => return None,
        })
    },
    stage: |stage| {
        Some(match stage {
            "read" => "read",
            "decode" => "decode",
            "voice_activity" => "voice activity",
            "recognise" => "recognise",
            "analyse" => "analyse",
            _ => return None,
        })
    },
    weekday: |day| match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    },
    percent: |n| format!("{n} %"),
    seconds: |s| format!("{s} s"),
    words_per_minute: |n| format!("{n} words/min"),
    characters_per_minute: |n| format!("{n} characters/min"),

    skip: "Skip to content",
    breadcrumbs: "You are here",
    team_page: "Team",
    rep_name: |rep| format!("Rep {rep}"),
    call_name: |call| format!("Call {call}"),
    unassigned: "no rep known",
    print_note: "For internal use: holds what was said in calls.",
    sort_by: |column| format!("Sort by {column}"),
    data: "Data of the chart",
    scroll_table: |table| format!("{table} (scrolls sideways)"),
    keys: "Keys",
    keys_list: &[
        ("j / k", "next, previous flag"),
        ("space", "play, pause"),
        ("← / →", "3 s back, forward"),
        ("1 – 4", "speed 1 × – 2 ×"),
        ("?", "this list"),
        ("esc", "close"),
    ],
    close: "Close",
    no_script: "Scripts are switched off: sorting, playing and moving together need them; everything else is here.",
    page_of: |page, pages| format!("Part {page} of {pages}"),
    previous_page: "Newer",
    next_page: "Older",

    morning_title: |day| format!("Morning digest: {day}"),
    morning_empty: "Morning digest",
    morning_first: "Whom to talk to first",
    morning_first_note: "By the four weeks up to this day: confirmed fatal violations, or a whole 95 % interval below the line.",
    morning_nobody: "Nobody: no rep's whole interval lies below the line, and no fatal violation was confirmed.",
    morning_best: "Well done",
    morning_best_note: "Moments in which somebody did what is missed most often.",
    morning_misses: "To learn from",
    morning_misses_note: "The gravest moments, then those that cost most points.",
    morning_none: "Nothing of this kind has a place in the calls of this day.",
    morning_better: "Better",
    attention_fatal: |calls| match calls {
        1 => "One call with a confirmed fatal violation.".to_string(),
        n => format!("{n} calls with a confirmed fatal violation."),
    },
    attention_band: |high, line| format!("The whole interval (up to {high}) is below {line}."),
    attention_team: |high, line| format!("The whole interval (up to {high}) is below what the team allows ({line})."),

    journeys_title: "Opportunities",
    journeys_waiting: "Opportunities that wait",
    journeys_as_of: |day| {
        format!(
            "As of {day}: promises that nobody followed up, high value that nobody touches, many touches without the customer."
        )
    },
    journeys_nothing: "None: no promise is stale, nothing of high value is neglected, and the customer took part where much was done.",
    journeys_more: |n| match n {
        1 => "One more in the report.".to_string(),
        n => format!("{n} more in the report."),
    },
    journeys_all: "All opportunities",
    journeys_note: "Checklist: only items that are met or missed count; what is not due yet or unknown costs nothing. Health: geometric mean of activity (recency, number) and substance (two-sidedness, talk heat), an engineering guess without learned weights.",
    journey_neglect: |value, line, days| {
        format!("Worth {value} (the most valuable begin at {line}), and nobody touched the customer for {days} days.")
    },
    journey_stale: |day, days| format!("A next step was promised on {day}, and no touch followed in {days} days."),
    journey_hollow: |touches, days| {
        format!(
            "Looks busy, is hollow: {touches} touches in {days} days, and in none of them is the customer known to have spoken, replied or agreed on anything."
        )
    },
    journey_opportunity: "Opportunity",
    journey_status_name: "Status",
    journey_status: |status| match status {
        OpportunityStatus::Open => "open",
        OpportunityStatus::Contracted => "contracted",
        OpportunityStatus::Closed => "closed",
    },
    journey_value: "Value",
    journey_checklist: "Checklist",
    journey_points: |earned, of| format!("{earned} of {of}"),
    journey_state: |state| match state {
        ItemState::Met => "met",
        ItemState::Missed => "missed",
        ItemState::NotDue => "not due yet",
        ItemState::Unknown => "unknown",
    },
    journey_due: |day| format!("due by {day}"),
    journey_share: |percent| format!("{percent} % of the customer's words come again"),
    journey_event: |kind| match kind {
        TouchpointKind::FirstContact => "first contact",
        TouchpointKind::NeedGraded => "need graded",
        TouchpointKind::Proposal => "proposal",
        TouchpointKind::CrossTeamStep => "cross-team step",
        TouchpointKind::Contract => "contract",
        TouchpointKind::Delivery => "delivery",
        TouchpointKind::Visit => "visit",
        TouchpointKind::Call => "call",
        TouchpointKind::Message => "message",
        TouchpointKind::Reply => "reply",
        TouchpointKind::NextStep => "next step promised",
        TouchpointKind::Closed => "closed",
    },
    journey_health: "Health",
    journey_recency: "Recency",
    journey_number: "Number",
    journey_two_sided: "Two-sidedness",
    journey_heat: "Talk heat",
    journey_last_touch: "Last touch",
    journey_words: "The customer's words",
    journey_said: |kind| match kind {
        MentionKind::Worry => "worry",
        MentionKind::Need => "need",
        MentionKind::DecisionMaker => "who decides",
        MentionKind::DecisionMakerChange => "somebody else decides",
    },

    indicators_title: "Calls and sales",
    indicators_all: "Indicators by team and rep, with process and outcome",
    indicators_days: |first, last| format!("Imported call logs and sales, {first} to {last}"),
    indicators_note: "Process: the estimate of a rep's calls. Outcome: the mean of the indicators that have a target, by their weights. The blended figure is only ever read beside its two parts; how much the outcome weighs depends on profile and time in the job. Shares stand with their 95 % interval.",
    indicators_whole: "All imported days",
    indicators_month: |month| format!("Month {month}"),
    indicators_month_name: "Month",
    indicators_days_worked: "Days worked",
    indicators_process: "Process",
    indicators_outcome: "Outcome",
    indicators_blended: "Blended",
    indicators_weight: "Outcome weighs",
    indicators_profile: "Profile",
    indicators_profile_name: |profile| match profile {
        WeightProfile::Sprint => "sprint",
        WeightProfile::Mature => "mature",
        WeightProfile::NewHire => "new hire",
    },
    indicators_tenure: "Days in the job",
    indicators_parts: |process, outcome, blended, weight| {
        format!("process {process} · outcome {outcome} · blended {blended} (outcome weighs {weight} %)")
    },
    indicators_calls: "the rep's calls",
    indicators_association: |rho, low, high, reps| {
        format!(
            "Quality of calls and conversion over {reps} reps: Spearman {rho} ({low} to {high}). An association, not cause."
        )
    },
    indicators_no_association: "How quality of calls and conversion go together is not said: fewer than 8 reps have both.",
    indicators_targets: "Reps who reach today's targets",
    indicators_targets_note: "Of reps with five days or more in the month. A target that everybody reaches tells nobody apart. All months are held against today's targets: what a target was before is not known.",
    of_reps: |part, of| format!("{part} of {of}"),
    indicators_team: |reps, days| format!("Reps: {reps}; days worked by all of them: {days}"),
    indicators_name: "Indicator",
    indicators_value: "Value",
    indicators_base: |n, what| format!("{}: {n}", what.to_lowercase()),
    indicators_target: "Target",
    indicators_target_new_hire: |full, new_hire| format!("{full} (new hire: {new_hire})"),
    indicators_no_target: "none",
    indicators_weak_stage: |stage| match stage {
        WeakStage::Discovery => {
            "Many opportunities, few deals, and discovery below the team: listen to what is asked before something is offered."
        }
        WeakStage::Offer => {
            "Many opportunities, few deals, and discovery is fine: listen to how the offer and objections are handled."
        }
    },
    indicators_leads: |break_even, pays| {
        let verdict = match pays {
            Some(true) => "they do",
            Some(false) => "they do not",
            None => "open: the interval holds it, or leads are not known",
        };
        format!("Leads pay from a conversion of {break_even} % on: {verdict}.")
    },
    indicators_no_call_log: "No call log: every day with a row counts as worked.",
    indicators_more_deals: "More deals than what they would be a share of: no conversion.",
    indicator: |kind| match kind {
        IndicatorKind::CallsPerDay => "Calls dialled per day",
        IndicatorKind::ConnectRate => "Connected, of calls dialled",
        IndicatorKind::TalkPerDay => "Minutes in conversation per day",
        IndicatorKind::OpportunitiesPerWeek => "Opportunities per week",
        IndicatorKind::Conversion => "Conversion",
        IndicatorKind::RevenuePerCall => "Revenue per connected call",
        IndicatorKind::FirstContactResolution => "Resolved at first contact",
        IndicatorKind::ComplaintsPer100 => "Complaints per 100 connected calls",
        IndicatorKind::RepurchaseRate => "Deals with former customers",
        IndicatorKind::CoverageGrowth => "Growth of customers covered",
    },
    measure: |measure| match measure {
        Measure::Dialled => "Calls dialled",
        Measure::Connected => "Connected calls",
        Measure::Talk => "Time in conversation",
        Measure::Leads => "Leads",
        Measure::Opportunities => "Opportunities",
        Measure::Deals => "Deals",
        Measure::Revenue => "Revenue",
        Measure::Complaints => "Complaints",
        Measure::Repurchases => "Repurchases",
        Measure::Cases => "Cases",
        Measure::FirstContactResolved => "Cases resolved at first contact",
        Measure::Customers => "Customers covered",
    },

    report_title: "Call quality",
    period: |first, last| format!("{first} to {last}"),
    one_day: |day| day.to_string(),
    no_period: "calls without a date",
    calls,
    n_scored: "scored",
    n_pending: "wait for review",
    n_unscored: "no score",
    n_failed: "failed",
    mean_score: "Mean score",
    interval_95: |low, high| format!("95 % interval {low} to {high}"),
    one_call_no_interval: "one call carries no interval",
    first_heading: "What to do first",
    nothing_first: "Nothing stands out: no call waits for a decision, nothing failed, and no rep's interval lies below the mean.",
    first_fatal: |n, what| {
        if n == 1 {
            format!("1 call ended in a confirmed auto-fail: {what}.")
        } else {
            format!("{n} calls ended in a confirmed auto-fail, most often: {what}.")
        }
    },
    first_pending: |n, what| {
        if n == 1 {
            format!("1 call waits for a reviewer's decision about: {what}.")
        } else {
            format!("{n} calls wait for a reviewer's decision, most often about: {what}.")
        }
    },
    first_failed: |n, hint| {
        if n == 1 {
            format!("1 recording could not be processed; {hint}.")
        } else {
            format!("{n} recordings could not be processed; for most: {hint}.")
        }
    },
    first_unscored: |n, of, reason, remedy| {
        format!("{n} of {} have no score, mostly because: {reason}. {remedy}", calls(of))
    },
    first_rep: |rep, estimate, mean, requirement| {
        format!(
            "{rep}: the whole interval ({estimate}) lies below the mean of {mean}; most points are lost on: {requirement}."
        )
    },
    first_requirement: |what, failed, applicable, points| {
        format!("{what}: open in {failed} of {}, {points} points per scored call.", calls(applicable))
    },
    empty_heading: "No calls yet",
    empty_what: "The store holds no call that fits this report.",
    empty_next: "Score recordings with `callmark run FOLDER`, or widen --since, --until, --team and --rep.",
    nothing_scored: "No call of this report has a score; the reasons and what to do about each are below.",
    reps_heading: "Reps",
    reps_note: "Dot: estimate after adjusting for campaign and call type; whiskers: 95 % interval; thin line: mean of all calls. Axis from 0 to 100.",
    rep: "Rep",
    team: "Team",
    scored_calls: "Calls",
    estimate: "Score",
    rank: "Rank",
    rank_range: |low, high, n| if low == high { format!("{low} of {n}") } else { format!("{low}–{high} of {n}") },
    trend: "Trend",
    trend_up: |points, low, high| format!("up {points} points (95 % interval {low} to {high})"),
    trend_down: |points, low, high| format!("down {points} points (95 % interval {low} to {high})"),
    no_trend: "no change beyond noise",
    flags_per_call: "Flags/call",
    work_on: "Work on first",
    insufficient: "insufficient data",
    insufficient_calls: |n, of| format!("{n} of {of} calls"),
    insufficient_spread: "reps too alike to rank",
    insufficient_reps: "too few reps to compare",
    insufficient_no_rep: "calls without a rep",
    insufficient_no_score: "no scored calls",
    note_no_start: |n| format!("{} without a start time", calls(n)),
    note_scorecards: "several scorecards or versions are mixed",
    note_models: "several sets of models are mixed",
    note_teams: "calls of several teams",
    teams_heading: "Teams",
    hours_heading: "Hour and weekday",
    hours_note: "By the time that the call's start stamp shows. Fewer than 5 calls are greyed: their mean says little.",
    volume: "Calls",
    quality: "Mean score",
    hour_volume: |day, hour, n| format!("{day} {hour:02}:00: {}", calls(n)),
    hour_quality: |day, hour, mean, n| format!("{day} {hour:02}:00: mean {mean} of {}", calls(n)),
    dip: "worse than other hours",
    hour_dip: |day, hour, interval, mean, n| {
        format!(
            "{day} {hour:02}:00: calls score {interval} with every hour's mix of reps and calls, below the mean of {mean} ({}).",
            calls(n)
        )
    },
    hour_dip_note: "An hour is marked ▾ when it is worse whoever works in it, whichever calls come; look for what is special about it: staffing, breaks, systems.",
    hour_no_score: |day, hour| format!("{day} {hour:02}:00: no scored call"),
    weekday_heading: "Day",
    requirements_heading: "Requirements and metrics",
    requirements_note: "Most costly first. Open: a required thing was not found, or a forbidden one was. Every count opens its calls.",
    requirement: "Requirement",
    met: "In order",
    not_met: "Open",
    not_applicable: "N/a",
    unknown: "Undecided",
    points_per_call: "Points lost/call",
    precision: "Precision",
    precision_value: |value, low, high, n| format!("{value} ({low}–{high}), n = {n}"),
    not_reviewed: "not reviewed",
    honesty_heading: "How far to trust this",
    honesty_unknown: |share, n, of| format!("{share} of all results are undecided ({n} of {of})."),
    honesty_near_floor: |n, of| {
        format!("{n} of {} were recognised with a confidence near or below the model's floor.", calls(of))
    },
    honesty_reviewed: |overturned, reviewed| {
        format!("Reviewers overturned {overturned} of {reviewed} findings they looked at.")
    },
    honesty_not_reviewed: "Nobody has reviewed a finding of this report yet, so its false-positive rate is unknown.",
    honesty_false: |what, overturned, reviewed| {
        format!("{what}: {overturned} of {reviewed} reviewed findings were overturned.")
    },
    honesty_heap: |rep, card, line, inside, outside, expected| {
        format!(
            "{rep}: {inside} scores just above the pass line of {card} ({line} points) and {outside} just below it, where {expected} above would be usual. Listen to some of them: the rep may work until the mark is reached, or scores may have been helped over it."
        )
    },
    honesty_inflation: |score, mood, reps| {
        format!(
            "Scores of {reps} reps rose by {score} points from the first half of the days to the second, but their customers were no happier at the end of calls ({mood} on −5…+5): ask whether the scorecard is served, or the customer."
        )
    },
    honesty_recognition_gap: |gap, reps| {
        format!(
            "The calls of a rep that were recognised more surely differ from his or her others by {gap} points ({reps} reps): a part of what looks like quality may be recognition."
        )
    },
    honesty_language_gap: |gap, reps| {
        format!(
            "The Chinese calls of a rep differ from his or her English ones by {gap} points ({reps} reps): the scorecard or the recogniser may serve one language better; who takes more of the other pays for it."
        )
    },
    honesty_groups: |gap, difference| {
        let GroupGap { first, second, first_reps, second_reps, comparisons, .. } = gap;
        let compared =
            if *comparisons == 1 { String::new() } else { format!(", for all {comparisons} comparisons together") };
        let what = if gap.beyond_chance {
            "more than chance gives. This goes with the groups and is not explained by them: campaigns, calls and time in the job may differ. It is a reason to look at requirements and at the recogniser, not at people."
        } else {
            "no more than chance gives."
        };
        format!(
            "The mean of the {second_reps} reps of “{second}” differs from that of the {first_reps} of “{first}” by {difference} points{compared}: {what}"
        )
    },
    honesty_groups_requirement: |name, gap, difference| {
        let GroupGap { first, second, comparisons, .. } = gap;
        format!(
            "{name} is in order more or less often with reps of “{second}” than of “{first}”: by {difference} percentage points, the widest gap beyond chance ({comparisons} comparisons): check its wording and its evidence in both groups first."
        )
    },
    honesty_target: |name, reached, reps, month| {
        format!(
            "{name}: {reached} of {reps} reps reached the target in {month}, and nearly all in the month before: it no longer tells anybody apart."
        )
    },
    honesty_rises_alone: |name, rise, sold, sales, reps| {
        format!(
            "{name}: {reps} reps rose by {rise} from the first half of the months to the second, and {} per day worked showed no sure rise: {sales}. Ask whether the target still serves the sale.",
            sold.to_lowercase()
        )
    },
    honesty_starter: "These calls were recognised with the starter model, which follows synthetic speech only; use a production model for calls of people.",
    honesty_models: |n| format!("Calls of {n} different recognisers are mixed; compare them with care."),
    honesty_scorecards: |list| format!("Scorecards: {list}."),
    honesty_interval: "Intervals cover the chance of which calls were made, not mistakes of recognition or of the scorecard.",
    unscored_heading: "Calls without a score",
    unscored_reason: "Reason",
    unscored_remedy: "What to do",
    number_of_calls: "Calls",
    failures_heading: "Recordings that failed",
    file: "File",
    failed_stage: "Stage",
    cause: "Cause",
    hint: "Hint",
    more_failures: |n| format!("and {n} more: `callmark run --json` lists them all"),

    score_over_time: "Score over time",
    score_over_time_what: |rep, n| format!("Scores of {} of {rep} over time, with means and 95 % intervals.", calls(n)),
    own_band: "estimate",
    team_band: "team mean",
    day_mean: "mean of a day with 95 % interval",
    week_mean: "mean of a week with 95 % interval",
    month_mean: "mean of a month with 95 % interval",
    single_call: "one call",
    no_dates: "No scored call of this rep has a date.",
    profile: "Dimensions",
    profile_note: "Share of the possible points, 0 to 100 %. Dot with whiskers: this rep; line: the team.",
    dimension_name: "Dimension",
    this_rep: "This rep",
    team_mean: "Team",
    improvements: "Where the most points are",
    improvements_none: "No points were lost on any requirement.",
    improvement_cost: |points, n, of| format!("{points} points per call; open in {n} of {}", calls(of)),
    what: "What",
    why: "Why",
    how_to_say: "How to say it",
    listen_to: "Moments to hear",
    good_example: "A good example",
    example_of: |rep, call| format!("{rep}, call {call}"),
    no_example: "No colleague has a clear example in this report.",
    coaching: "Coaching",
    coaching_note: "Effects are points of the score, or percentage points: less what was to be expected anyway and what the others changed.",
    coaching_plan: "Plan",
    coaching_step: "Step",
    coaching_recheck: "Re-check from",
    coaching_result: "Last result",
    coaching_stage: |stage| match stage {
        Stage::Warning => "warning",
        Stage::Diagnosis => "diagnosis",
        Stage::Training => "training",
        Stage::AccompaniedCalls => "accompanied calls",
        Stage::Recheck => "re-check",
        Stage::Closed => "closed",
    },
    coaching_verdict: |verdict| match verdict {
        CoachingVerdict::Helped => "helped:",
        CoachingVerdict::NoEvidenceYet => "no evidence yet:",
        CoachingVerdict::DidNotHelp => "did not help:",
    },
    rep_calls: "Calls, newest first",
    rep_calls_range: |newest, oldest| format!("{newest} back to {oldest}"),

    list_scored: "Scored calls",
    list_pending: "Calls that wait for review",
    list_auto_failed: "Calls with a confirmed auto-fail",
    list_unscored: |reason| format!("Calls without a score: {reason}"),
    list_hour: |day, hour| format!("Calls that began on {day} between {hour:02}:00 and {hour:02}:59"),
    list_requirement: "Calls in which this is open",
    list_empty: "No call.",
    when: "When",
    call: "Call",
    duration: "Length",
    score: "Score",
    result: "Result",
    moments: "Moments",
    more_moments: |n| format!("+{n}"),

    no_rep: "rep unknown",
    no_start: "no start time",
    roles_by: |method, confidence| format!("roles by {method} ({confidence})"),
    recogniser: |name, confidence| format!("recogniser {name}, confidence {confidence}"),
    recogniser_text: "written text",
    scorecard: |name, version| format!("scorecard {name} v{version}"),
    score_range: |low, high| format!("{low} to {high}, depending on what is undecided"),
    waits_for: |what| format!("Waits for a decision about: {what}"),
    strip_heading: "The call at a glance",
    strip_what: |turns, flags, silences| {
        format!(
            "Time from left to right, one lane per role: {turns} turns, {flags} flags, {silences} silences. The transcript and the ledger below hold the same as text."
        )
    },
    strip_legend_negative: "negative words",
    strip_legend_neutral: "neutral",
    strip_legend_positive: "positive",
    strip_legend_none: "not rated",
    strip_legend_silence: "silence",
    strip_legend_explained: "announced silence",
    strip_legend_overtalk: "both speak",
    strip_legend_pace: "pace",
    silence_of: |length| format!("silence of {length}"),
    silence_explained_of: |length| format!("announced silence of {length}"),
    overtalk_of: |who, length| format!("{who} starts over the other, {length}"),
    turn_label: |time, role, more| format!("{time} {role}{more}"),
    pace_of: |pace| format!(", {pace}"),
    sentiment_of: |sentiment| format!(", sentiment {sentiment}"),
    flags_lane: "Flags",
    dimensions_heading: "Dimensions",
    transcript_heading: "Transcript",
    transcript_note: "Underlined: words that the recogniser is unsure of.",
    no_words: "Nothing was recognised.",
    word_confidence: |confidence| format!("confidence {confidence}"),
    ledger_heading: "Ledger",
    ledger_note: "The score is the sum of these rows.",
    ledger_empty: "No ledger: a call without a score has no rows.",
    show_all_rows: |n| format!("Show what is clear or not applicable ({n})"),
    points: "Points",
    of_possible: "Possible",
    moment: "Moment",
    searched: |from, to| format!("searched {from}–{to}"),
    measured: |value| format!("measured: {value}"),
    sum_of_rows: "Sum of the rows",
    row_limit: "Limit: a score lies between 0 and 100",
    row_cap: |what| format!("Cap of a confirmed fatal: {what}"),
    row_review: |what| format!("Review changed: {what}"),
    overall: "Whole score",
    confidence: |value| format!("confidence {value}"),
    act_by_model: "what the turn does, as the language model hears it",
    go_to: |time| format!("Go to {time}"),
    play_from: |time| format!("Play from {time}"),
    reviews_heading: "Reviews",
    review_line: |who, decision, what| format!("{who} {decision}: {what}"),
    notes_heading: "About this recording",
    dropped_line: |what, n| format!("{n} {what} were dropped"),
    provenance_heading: "Where this comes from",
    recordings: "Recordings (SHA-256)",
    program: "Program",
    player: "Player",
    play: "Play",
    pause: "Pause",
    previous_flag: "Previous flag",
    next_flag: "Next flag",
    clip_range: |from, to| format!("clip {from}–{to}"),
    no_clip_here: "no clip of this moment",
    no_clips: "This report was made without audio clips.",
    no_clips_because: |reason| match reason {
        NoClips::Text => "A call that came as text has no sound.".to_string(),
        other => format!("No audio clips: {other}"),
    },
    waveform: "Loudness of the clip",
};
