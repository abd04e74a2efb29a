//! `callmark scorecard explain FILE ID`: one requirement in plain words, and how it came out in a stored call.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use callmark_core::operator::operators_in;
use callmark_core::record::{CallRecord, ItemKind, LedgerRow, MatchType, Outcome, RowKind};
use callmark_core::recording::{Clock, Direction, Language};
use callmark_core::scorecard::{Bounds, Matcher, Pattern, Period, Phrases, Requirement, Scorecard, When, Within};
use callmark_core::transcript::{Medium, Role};

use crate::FINISHED;
use crate::analysis::read_scorecard;
use crate::cli::{Common, ExplainArgs};
use crate::commands::terminal_table::percent;
use crate::commands::{existing_store, explain as explain_error, find_one};
use crate::config::Config;
use crate::render::call_page::{clock, points};
use crate::render::messages::{self, Messages};

pub fn run(args: &ExplainArgs, common: &Common) -> Result<u8> {
    let scorecard = read_scorecard(&args.file)?;
    let Some(requirement) = scorecard.requirements.iter().find(|r| r.id == args.id) else {
        let near = scorecard.requirements.iter().min_by_key(|r| strsim::damerau_levenshtein(&r.id, &args.id));
        bail!(
            "{} has no requirement `{}`\nhint: {}",
            args.file.display(),
            args.id,
            near.map_or("it has no requirement at all".to_string(), |r| format!("did you mean `{}`?", r.id))
        );
    };
    let language = Config::load(common)?.report.language;
    let teller = Teller { words: words(language), messages: messages::of(language), scorecard: &scorecard };
    print!("{}", teller.requirement(requirement));
    if let Some(call) = &args.call {
        let store = existing_store(common)?;
        let call_id = find_one(store.as_ref(), call)?;
        let stored = store.get_call(&call_id).map_err(explain_error)?;
        let record = stored.ok_or_else(|| anyhow!("the call {call_id} is gone"))?.record;
        print!("\n{}", teller.call(requirement, &record));
    }
    Ok(FINISHED)
}

type With = fn(&str) -> String;
type With2 = fn(&str, &str) -> String;

/// What the explanation says in one language; a missing one does not compile.
struct Words {
    what: &'static str,
    why: &'static str,
    coach: &'static str,
    head: fn(&str, &str, u32) -> String,
    applies: &'static str,
    call_types: With,
    campaigns: With,
    directions: fn(Direction) -> &'static str,
    languages: With,
    media: fn(Medium) -> &'static str,
    lasts_at_least: With,
    lasts_at_most: With,
    first_contact: fn(bool) -> &'static str,
    when_expr: With,
    required: With,
    forbidden: With,
    manual: &'static str,
    each: &'static str,
    looks_for: &'static str,
    by: With,
    anybody: &'static str,
    first_s: With,
    first_turns: With,
    last_s: With,
    last_turns: With,
    any: &'static str,
    all: &'static str,
    none: &'static str,
    at_least: With,
    regex: &'static str,
    meaning: With,
    act: With,
    act_at_least: With2,
    stage: With,
    period: fn(Period) -> &'static str,
    sentiment: With,
    pace: With,
    loudness: With,
    length: With,
    hangs_up: With,
    repeats: fn(u32, u32, Option<u32>) -> String,
    near_words: With,
    between: fn(&Bounds<i64>) -> String,
    silence: With,
    explained: &'static str,
    unexplained: &'static str,
    overlap: With,
    local_time: fn(&str, &str, Clock) -> String,
    similar: With,
    similar_usual: &'static str,
    must: With,
    not: With,
    except: &'static str,
    examples: &'static str,
    operators: &'static [(&'static str, &'static str)],
    in_call: With2,
    not_in_call: &'static str,
    other_scorecard: With,
    points_of: With2,
    searched: With2,
    found: &'static str,
    match_type: fn(MatchType) -> &'static str,
    unknown: &'static str,
    not_applicable: &'static str,
    sure: With,
}

fn bounds(bounds: &Bounds<i64>, least: &str, most: &str) -> String {
    let part = |word: &str, value: Option<i64>| value.map(|v| format!("{word} {v}"));
    [part(least, bounds.gte), part(most, bounds.lte)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

const EN: Words = Words {
    what: "What",
    why: "Why",
    coach: "Coaching",
    head: |dimension, severity, points| format!("{dimension}, {severity}, {points} points"),
    applies: "Applies to",
    call_types: |list| format!("calls of type {list}"),
    campaigns: |list| format!("campaigns {list}"),
    directions: |direction| match direction {
        Direction::Inbound => "inbound calls",
        Direction::Outbound => "outbound calls",
    },
    languages: |list| format!("calls in {list}"),
    media: |medium| match medium {
        Medium::Speech => "recordings",
        Medium::Text => "transcripts without sound",
    },
    lasts_at_least: |s| format!("calls of at least {s} s"),
    lasts_at_most: |s| format!("calls of at most {s} s"),
    first_contact: |first| {
        if first { "the first contact with the customer" } else { "later contacts with the customer" }
    },
    when_expr: |expr| format!("calls in which this holds: {expr}"),
    required: |expr| format!("Met when this holds: {expr}"),
    forbidden: |expr| format!("Violated when this holds: {expr}"),
    manual: "A person answers it; nothing is searched.",
    each: "Points are deducted for each time.",
    looks_for: "Looked for",
    by: |role| format!("said by the {}", role.to_lowercase()),
    anybody: "said by either",
    first_s: |n| format!("in the first {n} s"),
    first_turns: |n| format!("in the first {n} turns where times are unknown"),
    last_s: |n| format!("in the last {n} s"),
    last_turns: |n| format!("in the last {n} turns where times are unknown"),
    any: "any of these phrases",
    all: "all of these phrases",
    none: "none of these phrases",
    at_least: |n| format!("at least {n} of these phrases"),
    regex: "text of this pattern",
    meaning: |similarity| format!("a turn that means the same as one of these (similarity of at least {similarity})"),
    act: |act| format!("the dialogue act `{act}`"),
    act_at_least: |act, p| format!("the dialogue act `{act}` (probability of at least {p})"),
    stage: |stage| format!("a turn of the stage `{stage}`"),
    period: |period| match period {
        Period::Turn => "of a turn",
        Period::Call => "over the call",
        Period::FirstQuarter => "of the first quarter",
        Period::LastQuarter => "of the last quarter",
        Period::TurnChange => "of a turn against the same side's turn before",
        Period::Shift => "of the last quarter against the first",
    },
    sentiment: |period| format!("sentiment {period}, thousandths of a point:"),
    pace: |period| format!("pace {period}, words (Chinese: characters) per minute, a change in thousandths:"),
    loudness: |period| format!("loudness {period}, hundredths of a decibel:"),
    length: |period| format!("length {period}, ms:"),
    hangs_up: |role| format!("the {} hangs up", role.to_lowercase()),
    repeats: |words, times, turns| {
        let within = turns.map_or(String::new(), |turns| format!(" within {turns} turns"));
        format!("the same {words} words (Chinese: characters) said in {times} turns{within}")
    },
    near_words: |n| format!("in one turn, with at most {n} words (Chinese: characters) between them"),
    between: |b| bounds(b, "at least", "at most"),
    silence: |s| format!("silence of at least {s} s"),
    explained: "that was announced",
    unexplained: "that nobody announced",
    overlap: |ms| format!("interruption of at least {ms} ms"),
    local_time: |from, to, clock| match clock {
        Clock::Customer => format!("the call begins from {from} to before {to} on the customer's clock"),
        Clock::Call => format!("the call begins from {from} to before {to} on the call centre's clock"),
    },
    similar: |threshold| format!("words may differ as long as the phrase is similar by {threshold}"),
    similar_usual: "words may differ a little: 75 % of the phrase must be there (85 % of a short one)",
    must: |list| format!("one of these words must be in it: {list}"),
    not: |list| format!("does not count when this is said with it: {list}"),
    except: "Not applicable when",
    examples: "Examples",
    operators: &[
        ("and", "both sides hold"),
        ("or", "one side holds"),
        ("not", "it does not hold"),
        ("before", "the first of the left comes before the first of the right"),
        ("after", "the left follows the right"),
        ("each", "every one of the right has its own, not only one of them"),
        ("near", "both are close to each other"),
        ("within", "so many turns or seconds lie between them at most"),
        ("count", "in how many turns it, or one of several, holds"),
        ("repeat", "it holds so many times (twice without a number) at different moments"),
        ("order", "the first of each come in this order"),
    ],
    in_call: |call, result| format!("In call {call}: {result}"),
    not_in_call: "the call's ledger has no row for it",
    other_scorecard: |name| format!("(the call was scored with {name}, which is not this version of the scorecard)"),
    points_of: |points, possible| format!("{points} of {possible} points"),
    searched: |begin, end| format!("searched {begin}–{end} and found nothing that counts"),
    found: "found",
    match_type: |kind| match kind {
        MatchType::Exact => "word for word",
        MatchType::Tolerant => "nearly word for word",
        MatchType::Regex => "by pattern",
        MatchType::Meaning => "by meaning",
        MatchType::Act => "by a phrase of the dialogue act",
        MatchType::ModelAct => "by what the turn does, as the language model hears it",
        MatchType::Sentiment => "by sentiment",
        MatchType::Silence => "by silence",
        MatchType::Overlap => "by overlap",
        MatchType::Metric => "by measurement",
        MatchType::Window => "window",
        MatchType::Manual => "waits for a person",
        MatchType::Review => "by review",
    },
    unknown: "the evidence does not decide: words too unsure, no encoder for the meaning, or a person must answer",
    not_applicable: "a condition above does not hold, or an exception does",
    sure: |share| format!("confidence {share}"),
};

const ZH: Words = Words {
    what: "内容",
    why: "原因",
    coach: "辅导",
    head: |dimension, severity, points| format!("{dimension}，{severity}，{points} 分"),
    applies: "适用于",
    call_types: |list| format!("类型为 {list} 的通话"),
    campaigns: |list| format!("活动 {list}"),
    directions: |direction| match direction {
        Direction::Inbound => "呼入通话",
        Direction::Outbound => "呼出通话",
    },
    languages: |list| format!("语言为 {list} 的通话"),
    media: |medium| match medium {
        Medium::Speech => "录音",
        Medium::Text => "没有声音的文字稿",
    },
    lasts_at_least: |s| format!("至少 {s} 秒的通话"),
    lasts_at_most: |s| format!("至多 {s} 秒的通话"),
    first_contact: |first| if first { "与客户的首次联系" } else { "与客户的后续联系" },
    when_expr: |expr| format!("满足此条件的通话：{expr}"),
    required: |expr| format!("满足此条件为做到：{expr}"),
    forbidden: |expr| format!("满足此条件为违规：{expr}"),
    manual: "由人工回答，不做搜索。",
    each: "每出现一次都扣分。",
    looks_for: "查找内容",
    by: |role| format!("{role}说的"),
    anybody: "任何一方说的",
    first_s: |n| format!("在前 {n} 秒内"),
    first_turns: |n| format!("没有时间时在前 {n} 轮内"),
    last_s: |n| format!("在最后 {n} 秒内"),
    last_turns: |n| format!("没有时间时在最后 {n} 轮内"),
    any: "以下任一说法",
    all: "以下全部说法",
    none: "以下说法均未出现",
    at_least: |n| format!("以下说法中至少 {n} 个"),
    regex: "符合此模式的文字",
    meaning: |similarity| format!("与以下意思相同的一轮话（相似度至少 {similarity}）"),
    act: |act| format!("对话行为 `{act}`"),
    act_at_least: |act, p| format!("对话行为 `{act}`（概率至少 {p}）"),
    stage: |stage| format!("属于阶段 `{stage}` 的一轮话"),
    period: |period| match period {
        Period::Turn => "一轮话的",
        Period::Call => "整通电话的",
        Period::FirstQuarter => "前四分之一的",
        Period::LastQuarter => "后四分之一的",
        Period::TurnChange => "与同一方上一轮话相比的",
        Period::Shift => "后四分之一与前四分之一相比的",
    },
    sentiment: |period| format!("{period}情绪（千分之一分）："),
    pace: |period| format!("{period}语速（每分钟字数，英文为词数；变化为千分之几）："),
    loudness: |period| format!("{period}音量（百分之一分贝）："),
    length: |period| format!("{period}时长（毫秒）："),
    hangs_up: |role| format!("{role}挂断"),
    repeats: |words, times, turns| {
        let within = turns.map_or(String::new(), |turns| format!("（{turns} 轮以内）"));
        format!("同样的 {words} 个字（英文为词）在 {times} 轮话中出现{within}")
    },
    near_words: |n| format!("在同一轮话中，彼此之间至多 {n} 个字（英文为词）"),
    between: |b| bounds(b, "至少", "至多"),
    silence: |s| format!("至少 {s} 秒的沉默"),
    explained: "事先说明过的",
    unexplained: "没有说明的",
    overlap: |ms| format!("至少 {ms} 毫秒的打断"),
    local_time: |from, to, clock| match clock {
        Clock::Customer => format!("通话在客户当地时间 {from} 至 {to} 之前开始"),
        Clock::Call => format!("通话在呼叫中心时间 {from} 至 {to} 之前开始"),
    },
    similar: |threshold| format!("字词可以有出入，只要与说法的相似度达到 {threshold}"),
    similar_usual: "字词可以稍有出入：说法的 75 % 必须出现（短的说法为 85 %）",
    must: |list| format!("其中必须有以下词之一：{list}"),
    not: |list| format!("同时说了以下内容则不算：{list}"),
    except: "以下情况不适用",
    examples: "例子",
    operators: &[
        ("and", "两边都成立"),
        ("or", "有一边成立"),
        ("not", "不成立"),
        ("before", "左边第一次出现早于右边第一次出现"),
        ("after", "左边跟在右边之后"),
        ("each", "右边每一次都各有对应，而不只是其中一次"),
        ("near", "两者相距不远"),
        ("within", "两者之间至多相隔这么多轮或秒"),
        ("count", "它（或几项之一）在几轮话中成立"),
        ("repeat", "在不同时刻成立这么多次（不写次数时为两次）"),
        ("order", "各自第一次出现按此顺序"),
    ],
    in_call: |call, result| format!("通话 {call}：{result}"),
    not_in_call: "该通话的台账中没有这一项",
    other_scorecard: |name| format!("（该通话是用 {name} 评分的，与此评分卡版本不同）"),
    points_of: |points, possible| format!("{possible} 分中得 {points} 分"),
    searched: |begin, end| format!("搜索了 {begin}–{end}，没有找到算数的内容"),
    found: "找到",
    match_type: |kind| match kind {
        MatchType::Exact => "逐字一致",
        MatchType::Tolerant => "基本一致",
        MatchType::Regex => "按模式",
        MatchType::Meaning => "按意思",
        MatchType::Act => "按对话行为的短语",
        MatchType::ModelAct => "语言模型判断的这句话的作用",
        MatchType::Sentiment => "按情绪",
        MatchType::Silence => "按沉默",
        MatchType::Overlap => "按打断",
        MatchType::Metric => "按测量",
        MatchType::Window => "搜索范围",
        MatchType::Manual => "等待人工",
        MatchType::Review => "按复核",
    },
    unknown: "证据不足以判断：识别可信度过低、没有用于判断意思的模型，或需要人工回答",
    not_applicable: "上面的条件不满足，或属于例外",
    sure: |share| format!("可信度 {share}"),
};

fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::Zh => &ZH,
    }
}

fn seconds(ms: i64) -> String {
    if ms % 1000 == 0 { (ms / 1000).to_string() } else { format!("{:.1}", ms as f64 / 1000.0) }
}

/// Phrases of all languages, quoted.
fn listed(phrases: &Phrases) -> String {
    let quoted = phrases.0.values().flat_map(|list| &list.0).map(|phrase| format!("\"{phrase}\""));
    quoted.collect::<Vec<_>>().join(", ")
}

struct Teller<'a> {
    words: &'static Words,
    messages: &'static Messages,
    scorecard: &'a Scorecard,
}

/// Writing into a String cannot fail; the results of `writeln!` below are dropped for that reason.
impl Teller<'_> {
    fn requirement(&self, requirement: &Requirement) -> String {
        let (words, messages) = (self.words, self.messages);
        let mut out = String::new();
        let dimension = (messages.dimension)(&requirement.dimension).unwrap_or(&requirement.dimension);
        let head = (words.head)(dimension, (messages.severity)(requirement.severity), requirement.points);
        let _ = writeln!(out, "{} v{} ({})", requirement.id, requirement.version, head);
        for (title, text) in
            [(words.what, &requirement.what), (words.why, &requirement.why), (words.coach, &requirement.coach)]
        {
            let text = text.get(messages.language);
            if !text.is_empty() {
                let _ = writeln!(out, "{title}: {text}");
            }
        }
        let _ = writeln!(out, "{}: {}", words.applies, self.when(&requirement.when));
        let Some(rule) = &requirement.rule else {
            let _ = writeln!(out, "{}", words.manual);
            return out;
        };
        let says = if rule.kind == ItemKind::Forbidden { words.forbidden } else { words.required };
        let _ = writeln!(out, "{}", says(&rule.expr));
        let used = operators_in(&rule.expr);
        for (operator, meaning) in words.operators.iter().filter(|(operator, _)| used.contains(operator)) {
            let _ = writeln!(out, "  {operator}: {meaning}");
        }
        if rule.each {
            let _ = writeln!(out, "{}", words.each);
        }
        let _ = writeln!(out, "{}:", words.looks_for);
        for (name, matcher) in &requirement.matchers {
            let _ = writeln!(out, "  {name}: {}", self.matcher(matcher));
        }
        for matcher in &requirement.except {
            let _ = writeln!(out, "{}: {}", words.except, self.matcher(matcher));
        }
        if !requirement.examples.is_empty() {
            let _ = writeln!(out, "{}:", words.examples);
        }
        for example in &requirement.examples {
            let turn = |t: &callmark_core::scorecard::ExampleTurn| {
                format!("{} {}: {}", clock(t.begin_ms), (messages.role)(t.role), t.text)
            };
            let turns: Vec<String> = example.turns.iter().map(turn).collect();
            let _ = writeln!(out, "  {} ← {}", (messages.outcome)(example.expect), turns.join(" / "));
        }
        out
    }

    fn when(&self, when: &When) -> String {
        let words = self.words;
        let mut parts = Vec::new();
        if !when.call_types.is_empty() {
            parts.push((words.call_types)(&when.call_types.join(", ")));
        }
        if !when.campaigns.is_empty() {
            parts.push((words.campaigns)(&when.campaigns.join(", ")));
        }
        parts.extend(when.directions.iter().map(|d| (words.directions)(*d).to_string()));
        let languages = if when.languages.is_empty() { &self.scorecard.languages } else { &when.languages };
        parts.push((words.languages)(&languages.iter().map(|l| l.code()).collect::<Vec<_>>().join(", ")));
        parts.extend(when.media.iter().map(|m| (words.media)(*m).to_string()));
        if let Some(duration) = when.duration_ms {
            parts.extend(duration.gte.map(|ms| (words.lasts_at_least)(&seconds(ms))));
            parts.extend(duration.lte.map(|ms| (words.lasts_at_most)(&seconds(ms))));
        }
        parts.extend(when.first_contact.map(|first| (words.first_contact)(first).to_string()));
        parts.extend(when.expr.as_ref().map(|expr| (words.when_expr)(expr)));
        parts.join("; ")
    }

    /// What one matcher looks for, by whom, where, and how nearly.
    fn matcher(&self, matcher: &Matcher) -> String {
        let words = self.words;
        let phrases = |kind: &str, phrases: &Phrases| format!("{kind}: {}", listed(phrases));
        let what = match &matcher.pattern {
            Pattern::Any(p) => phrases(words.any, p),
            Pattern::All(p) => phrases(words.all, p),
            Pattern::None(p) => phrases(words.none, p),
            Pattern::AtLeast { n, of } => phrases(&(words.at_least)(&n.to_string()), of),
            Pattern::Regex(p) => phrases(words.regex, p),
            Pattern::Meaning { phrases: p, similarity_permille } => {
                let used = similarity_permille.iter().filter(|(language, _)| !p.get(**language).is_empty());
                let mut least: Vec<String> = used.map(|(_, least)| percent(least.unsigned_abs())).collect();
                least.dedup();
                phrases(&(words.meaning)(&least.join(" / ")), p)
            }
            Pattern::Act { act, permille: None } => (words.act)(act),
            Pattern::Act { act, permille: Some(least) } => (words.act_at_least)(act, &percent(u64::from(*least))),
            Pattern::Stage(stage) => (words.stage)(stage),
            Pattern::Sentiment { bounds, period } => {
                format!("{} {}", (words.sentiment)((words.period)(*period)), (words.between)(bounds))
            }
            Pattern::Pace { bounds, period } => {
                let of_language =
                    |(language, b): (&Language, &Bounds<i64>)| format!("{} {}", language.code(), (words.between)(b));
                let limits: Vec<String> = bounds.iter().map(of_language).collect();
                format!("{} {}", (words.pace)((words.period)(*period)), limits.join("; "))
            }
            Pattern::Loudness { bounds, period } => {
                format!("{} {}", (words.loudness)((words.period)(*period)), (words.between)(bounds))
            }
            Pattern::Duration { bounds, period } => {
                format!("{} {}", (words.length)((words.period)(*period)), (words.between)(bounds))
            }
            Pattern::HangUp(role) => (words.hangs_up)((self.messages.role)(*role)),
            Pattern::Repeat { words: run, times, turns } => (words.repeats)(*run, *times, *turns),
            Pattern::Silence { gte_ms, explained } => {
                let announced = explained.map_or("", |e| if e { words.explained } else { words.unexplained });
                format!("{} {announced}", (words.silence)(&seconds(*gte_ms))).trim_end().to_string()
            }
            Pattern::Overlap { gte_ms } => (words.overlap)(&gte_ms.to_string()),
            Pattern::LocalTime { from_minute, to_minute, clock } => {
                let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
                (words.local_time)(&time(*from_minute), &time(*to_minute), *clock)
            }
            Pattern::Metric { metric, bounds } => {
                format!("{} (`{}`): {}", (self.messages.metric)(*metric), metric.id(), (words.between)(bounds))
            }
        };
        let mut parts = vec![what];
        let is_phrases =
            matches!(matcher.pattern, Pattern::Any(_) | Pattern::All(_) | Pattern::None(_) | Pattern::AtLeast { .. });
        let of_the_call = matches!(
            matcher.pattern,
            Pattern::Silence { .. } | Pattern::Metric { .. } | Pattern::LocalTime { .. } | Pattern::HangUp(_)
        );
        if !of_the_call {
            parts.push(matcher.role.map_or(words.anybody.to_string(), |role| (words.by)((self.messages.role)(role))));
        }
        parts.extend(self.within(&matcher.within));
        parts.extend(matcher.near_words.map(|n| (words.near_words)(&n.to_string())));
        if is_phrases {
            parts.push(match matcher.threshold_permille {
                Some(permille) => (words.similar)(&percent(u64::from(permille))),
                None => words.similar_usual.to_string(),
            });
        }
        if !matcher.must.0.is_empty() {
            parts.push((words.must)(&listed(&matcher.must)));
        }
        if !matcher.not.0.is_empty() {
            parts.push((words.not)(&listed(&matcher.not)));
        }
        parts.join("\n    ")
    }

    fn within(&self, within: &Within) -> Vec<String> {
        let words = self.words;
        [
            within.first_ms.map(|ms| (words.first_s)(&seconds(ms))),
            within.first_turns.map(|n| (words.first_turns)(&n.to_string())),
            within.last_ms.map(|ms| (words.last_s)(&seconds(ms))),
            within.last_turns.map(|n| (words.last_turns)(&n.to_string())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// How the requirement came out in a call, and why.
    fn call(&self, requirement: &Requirement, record: &CallRecord) -> String {
        let words = self.words;
        let evaluation = &record.evaluation;
        let rows = evaluation.ledger.iter();
        let row = rows.filter(|row| row.kind == RowKind::Item).find(|row| row.requirement_id == requirement.id);
        let mut out = String::new();
        let result = row.map_or(words.not_in_call, |row| (self.messages.outcome)(row.result));
        let _ = writeln!(out, "{}", (words.in_call)(&record.call_id, result));
        if evaluation.scorecard_hash != self.scorecard.hash {
            let name = format!("{} v{}", evaluation.scorecard, evaluation.scorecard_version);
            let _ = writeln!(out, "{}", (words.other_scorecard)(&name));
        }
        if let Some(row) = row {
            self.row(&mut out, row, record);
        }
        out
    }

    fn row(&self, out: &mut String, row: &LedgerRow, record: &CallRecord) {
        let words = self.words;
        match row.result {
            Outcome::NotApplicable => {
                let _ = writeln!(out, "  {}", words.not_applicable);
                return;
            }
            Outcome::Unknown => {
                let _ = writeln!(out, "  {}", words.unknown);
            }
            _ => {
                let _ = writeln!(out, "  {}", (words.points_of)(&points(row.points), &points(row.possible)));
            }
        }
        for evidence in &row.evidence {
            let (begin, end) = (clock(evidence.begin_ms), clock(evidence.end_ms));
            if evidence.match_type == MatchType::Window {
                let _ = writeln!(out, "  {}", (words.searched)(&begin, &end));
                continue;
            }
            let turn = evidence.turn.and_then(|turn| record.transcript.turns.get(turn as usize));
            let who = (self.messages.role)(turn.map_or(Role::Unknown, |turn| turn.role));
            let quote =
                if evidence.quote.is_empty() { String::new() } else { format!(" {who}: \"{}\"", evidence.quote) };
            let _ = writeln!(
                out,
                "  {} {begin}–{end}{quote} ({}, {})",
                words.found,
                (words.match_type)(evidence.match_type),
                (words.sure)(&percent(u64::from(evidence.confidence_permille)))
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use callmark_core::operator::OPERATORS;

    use super::*;

    #[test]
    fn every_operator_is_explained_in_every_language() {
        for words in [&EN, &ZH] {
            let explained: BTreeSet<&str> = words.operators.iter().map(|(operator, _)| *operator).collect();
            assert_eq!(explained, OPERATORS.into_iter().collect());
        }
    }
}
