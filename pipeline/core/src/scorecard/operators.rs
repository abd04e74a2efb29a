//! Every operator of the scorecard language, as docs/scorecards.md shows it. Each example is a requirement without id and
//! dimension; core/tests/language/operators.rs runs it.

/// One thing that a scorecard can look for or say about what was found.
pub struct Operator {
    pub name: &'static str,
    pub what: &'static str,
    pub why: &'static str,
    pub example: &'static str,
}

/// Kinds of matchers first, in the order of the reader's list, then qualifiers, then words of expressions, then conditions.
pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "any",
        what: "One of the phrases is said. Tolerant: a phrase may lose or bend a word, Chinese homophones match, English ones cost half a word.",
        why: "A script is kept in other words than it was written in, and recognisers err.",
        example: r#"match: {return_right: {any: {en: ["thirty days", "money back"], zh: [七天无理由退货]}}}
require: {expr: return_right}
examples:
  - {turns: [[rep, 0, "you get your money back"]], expect: met}
  - {turns: [[rep, 0, "这款支持七天无理由退货"]], expect: met}
  - {turns: [[rep, 0, "you get a new phone"]], expect: missed}
"#,
    },
    Operator {
        name: "all",
        what: "Every phrase is said, in any turns of the window.",
        why: "Some disclosures have several parts.",
        example: r#"match: {terms: {all: {en: ["thirty days", "money back"]}, role: rep}}
require: {expr: terms}
examples:
  - {turns: [[rep, 0, "within thirty days"], [rep, 9, "you get your money back"]], expect: met}
  - {turns: [[rep, 0, "within thirty days"], [customer, 9, "you get your money back"]], expect: missed}
"#,
    },
    Operator {
        name: "none",
        what: "None of the phrases is said. It has no place; `forbid` with `any` shows where.",
        why: "A part of a condition: one thing without another.",
        example: r#"match: {polite: {none: {en: ["shut up"]}}}
require: {expr: polite}
examples:
  - {turns: [[rep, 0, "good morning sir"]], expect: met}
  - {turns: [[rep, 0, "oh shut up"]], expect: missed}
"#,
    },
    Operator {
        name: "n_of",
        what: "At least `n` different phrases are said.",
        why: "Two of five benefits are enough.",
        example: r#"match: {covers: {n_of: {n: 2, of: {en: ["fire insurance", "water damage", "burglary cover"]}}}}
require: {expr: covers}
examples:
  - {turns: [[rep, 0, "fire insurance and burglary cover"]], expect: met}
  - {turns: [[rep, 0, "fire insurance, fire insurance"]], expect: missed}
"#,
    },
    Operator {
        name: "regex",
        what: "A pattern matches the turn in lower case, without punctuation, one space between words, none between Chinese characters. Linear time; it must not match empty text.",
        why: "Numbers, and two words with something between them.",
        example: r#"match: {code: {regex: {en: "\\b\\d{3} ?\\d{3}\\b", zh: "验证码.{0,4}(告诉|念)"}, not: {zh: "不要.{0,6}验证码"}}}
forbid: {expr: code}
examples:
  - {turns: [[rep, 0, "It is 123-456."]], expect: violated}
  - {turns: [[rep, 0, "It is 12."]], expect: clear}
  - {turns: [[rep, 0, "请不要把验证码告诉别人"]], expect: clear}
"#,
    },
    Operator {
        name: "meaning",
        what: "A turn means about the same as one of the phrases (cosine of sentence embeddings, at least `similarity`). A negation means about the same as what it negates: pair it with a phrase that must be there, or forbid nothing by it alone. Unknown without an encoder for the language.",
        why: "Nobody can list every way of saying it.",
        example: r#"match: {recorded: {meaning: {en: ["we record calls"], zh: ["通话会被录音"]}}}
require: {expr: recorded}
examples:
  - {turns: [[rep, 0, "we keep a record of it"]], expect: met}
  - {turns: [[rep, 0, "good morning"]], expect: missed}
  - {turns: [[rep, 0, "这次通话我们会录音"]], expect: met}
"#,
    },
    Operator {
        name: "act",
        what: "A turn is this dialogue act, one of [the list](#acts-and-stages). Acts that the model of the call's language is trusted with are the ones that it hears (insults also by their phrases, word by word); others, and all acts in calls that no model has read, are found by phrases. Both count from a threshold of their own; `p` asks for a higher probability. `callmark scorecard test` reads examples likewise; beside what is heard, an example's turn has the `act` that it names.",
        why: "Objections, questions and greetings are the same in every script.",
        example: r#"match: {objection: {act: price_objection, p: 0.7}}
forbid: {expr: objection}
examples:
  - {turns: [[customer, 0, "well that is too expensive"]], expect: violated}
  - {turns: [[rep, 0, "well that is too expensive"]], expect: clear}
  - {turns: [[customer, 0, "good", {act: price_objection}]], expect: violated}
"#,
    },
    Operator {
        name: "stage",
        what: "A turn has an act of this stage of the script, one of the card's `stages` ([acts and stages](#acts-and-stages)).",
        why: "To require order, or something inside a stage.",
        example: r#"match: {start: {stage: opening}, end: {stage: close}}
require: {expr: "start before end"}
examples:
  - {turns: [[rep, 0, "hello thank you for calling"], [rep, 9, "have a great day"]], expect: met}
  - {turns: [[rep, 0, "have a great day"], [rep, 9, "hello thank you for calling"]], expect: missed}
"#,
    },
    Operator {
        name: "sentiment",
        what: "Sentiment of −5…+5 points within bounds, the customer's unless `role` says otherwise; over the call only the customer's is followed. See `period`.",
        why: "How the customer takes it.",
        example: r#"match:
  fall: {sentiment: {lte: -3}, period: turn_change}
  care: {any: {en: ["i understand how annoying that is"]}, role: rep}
forbid: {expr: "fall and not (care after each fall within 2 turns)"}
examples:
  - {turns: [[customer, 0, "good", {sentiment: 1}], [rep, 3, "it is late"], [customer, 6, "oh no", {sentiment: -2}], [rep, 9, "okay"]], expect: violated}
  - {turns: [[customer, 0, "good", {sentiment: 1}], [rep, 3, "it is late"], [customer, 6, "oh no", {sentiment: -2}], [rep, 9, "i understand how annoying that is"]], expect: clear}
  - {turns: [[customer, 0, "good", {sentiment: 0.9}], [rep, 3, "it is late"], [customer, 6, "oh no", {sentiment: -2}], [rep, 9, "okay"]], expect: clear}
  - {turns: [[customer, 0, "good", {sentiment: 1}]], expect: n/a}
"#,
    },
    Operator {
        name: "silence",
        what: "Nobody speaks for `gte_s` seconds or longer (3 s and up); `explained: false` leaves out those that the rep announced.",
        why: "Waiting without a word.",
        example: r#"match: {dead: {silence: {gte_s: 8}, explained: false}}
forbid: {expr: dead}
examples:
  - {turns: [[rep, 0, "hello there", {end: 2}], [customer, 10, "hello"]], expect: violated}
  - {turns: [[rep, 0, "hello there", {end: 2}], [customer, 9.9, "hello"]], expect: clear}
  - {turns: [[rep, 0, "one moment please", {end: 2}], [customer, 12, "hello"]], expect: clear}
"#,
    },
    Operator {
        name: "overlap",
        what: "`role` starts over the other, who has spoken for a second, for `gte_ms` milliseconds or longer.",
        why: "Interruptions.",
        example: r#"match: {cut: {overlap: {gte_ms: 500}, role: rep}}
forbid: {expr: cut}
examples:
  - {turns: [[customer, 0, "let me tell you about my problem", {end: 8}], [rep, 4, "no you must listen to me now", {end: 7}]], expect: violated}
  - {turns: [[rep, 0, "let me tell you about my offer", {end: 8}], [customer, 4, "no you must listen to me now", {end: 7}]], expect: clear}
"#,
    },
    Operator {
        name: "metric",
        what: "A signal of docs/signals.md is within `gte` and `lte`, in its own unit.",
        why: "Conditions on the call as a whole.",
        example: r#"match: {asked: {metric: questions_rep, gte: 2}}
require: {expr: asked}
examples:
  - {turns: [[rep, 0, "who are you?"], [customer, 3, "why"], [rep, 6, "where do you live?"]], expect: met}
  - {turns: [[rep, 0, "who are you?"], [customer, 3, "why"]], expect: missed}
"#,
    },
    Operator {
        name: "pace",
        what: "Words (Chinese: characters) per minute of own speech within bounds, the same or per language (`{en: {gte: 200}, zh: {gte: 300}}`); stretches under 3 s have none. Changes are in per cent.",
        why: "Terms that are rattled off; a customer who speeds up.",
        example: r#"match: {hurry: {pace: {gte: 20}, role: customer, period: shift}}
forbid: {expr: hurry}
examples:
  - {turns: [[customer, 0, "one two three four five", {end: 4}], [customer, 12, "one two three four five six", {end: 16}]], expect: violated}
  - {turns: [[customer, 0, "one two three four five", {end: 4}], [customer, 12, "one two three four five", {end: 16}]], expect: clear}
  - {turns: [[customer, 0, "one two three", {end: 2}], [customer, 12, "one two three four five six", {end: 16}]], expect: n/a}
"#,
    },
    Operator {
        name: "loudness",
        what: "Mean level of the role's speech within bounds, in dB of full scale; changes in dB. Not applicable without sound.",
        why: "A raised voice.",
        example: r#"match: {raised: {loudness: {gte: 6}, role: rep, period: turn_change}}
forbid: {expr: raised}
examples:
  - {turns: [[rep, 0, "good morning", {level: -26}], [customer, 3, "hi", {level: -30}], [rep, 6, "listen", {level: -20}]], expect: violated}
  - {turns: [[rep, 0, "good morning", {level: -26}], [customer, 3, "hi", {level: -10}], [rep, 6, "listen", {level: -20.1}]], expect: clear}
  - {turns: [[rep, 0, "good morning"], [rep, 6, "listen"]], expect: n/a}
"#,
    },
    Operator {
        name: "duration",
        what: "The call (`period: call`, the default) or a turn (`period: turn`) lasts within `gte_s` and `lte_s` seconds.",
        why: "Monologues; calls too short for what they claim.",
        example: r#"match: {lecture: {duration: {gte_s: 60}, period: turn, role: rep}}
forbid: {expr: lecture}
examples:
  - {turns: [[rep, 0, "our plan", {end: 60}], [customer, 70, "well"]], expect: violated}
  - {turns: [[rep, 0, "our plan", {end: 59}], [customer, 70, "well", {end: 140}]], expect: clear}
"#,
    },
    Operator {
        name: "hangup",
        what: "This side closed its line first. Not applicable when both lines stay open to the end of the recording.",
        why: "A rep who hangs up on a customer.",
        example: r#"match:
  gone: {hangup: rep}
  goodbye: {any: {en: ["have a great day"]}, role: rep}
forbid: {expr: "gone and not (goodbye before gone within 2 turns)"}
examples:
  - {turns: [[customer, 0, "but wait"], [rep, 3, "no thanks"]], hung_up_by: rep, expect: violated}
  - {turns: [[customer, 0, "bye"], [rep, 3, "have a great day"]], hung_up_by: rep, expect: clear}
  - {turns: [[customer, 0, "but wait"], [rep, 3, "no thanks"]], hung_up_by: customer, expect: clear}
  - {turns: [[customer, 0, "but wait"], [rep, 3, "no thanks"]], expect: n/a}
"#,
    },
    Operator {
        name: "repeat",
        what: "The same role says the same run of `words` words (Chinese: characters) in `times` turns (2), the last within `turns` of its own turns.",
        why: "A customer who has to say it again; a rep who reads the same line on and on.",
        example: r#"match: {again: {repeat: {words: 5, times: 2, turns: 3}, role: customer}}
forbid: {expr: again}
examples:
  - {turns: [[customer, 0, "my router has been off today"], [rep, 3, "okay"], [customer, 6, "as i said my router has been off"]], expect: violated}
  - {turns: [[customer, 0, "my router has been off today"], [rep, 3, "my router has been off"], [customer, 6, "my router has been dead"]], expect: clear}
  - {turns: [[customer, 0, "my router has been off today"], [customer, 5, "a"], [customer, 7, "b"], [customer, 9, "c"], [customer, 12, "my router has been off"]], expect: clear}
"#,
    },
    Operator {
        name: "local_time",
        what: "The call began at or after `from` and before `to`, on the customer's clock (`customer_tz` of the metadata) or, with `zone: call`, on that of `start_ts`. `from` later than `to` goes over midnight. Not applicable without start time or zone.",
        why: "Hours in which people may be called.",
        example: r#"match: {night: {local_time: {from: "21:00", to: "08:00", zone: customer}}}
forbid: {expr: night}
examples:
  - {turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T21:00:00-05:00", customer_tz: America/New_York, expect: violated}
  - {turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T20:59:00-05:00", customer_tz: America/New_York, expect: clear}
  - {turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T10:59:00-05:00", customer_tz: America/Los_Angeles, expect: violated}
  - {turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T21:00:00-05:00", expect: n/a}
"#,
    },
    Operator {
        name: "must",
        what: "With phrases: one of these words stands in what was found, nearly letter by letter (0.8 by character).",
        why: "\"This call is important\" is not \"this call is recorded\".",
        example: r#"match: {said: {any: {en: ["this call is recorded for quality"]}, must: {en: [recorded]}}}
require: {expr: said}
examples:
  - {turns: [[rep, 0, "this call is recorder for quality"]], expect: met}
  - {turns: [[rep, 0, "this call is important for quality"]], expect: missed}
"#,
    },
    Operator {
        name: "not",
        what: "With phrases: said in the same turn or just before, they take the match back. With `regex`: a pattern that does. In expressions: the opposite.",
        why: "Negations and conditions.",
        example: r#"match: {promise: {any: {en: ["we guarantee a return"]}, not: {en: ["not guarantee"]}}}
forbid: {expr: promise}
examples:
  - {turns: [[rep, 0, "sure we guarantee a return"]], expect: violated}
  - {turns: [[rep, 0, "we do not guarantee a return"]], expect: clear}
"#,
    },
    Operator {
        name: "unless",
        what: "With phrases and `regex`: `reported` takes a match back when the words are somebody else's or warned of (\"the last agent told you …\", 有人跟您说…), `denied` after a denial in the same clause (\"we never …\", 我们不会…), `asked` in a question about it (\"is there any …\", 有没有…). On a requirement: for all its matchers of the rep's words that do not say it themselves.",
        why: "Reps also talk about what they must not say.",
        example: r#"match: {promise: {any: {en: ["guaranteed return"]}, role: rep, unless: [reported, denied]}}
forbid: {expr: promise}
examples:
  - {turns: [[rep, 0, "it has a guaranteed return"]], expect: violated}
  - {turns: [[rep, 0, "if somebody says guaranteed return hang up"]], expect: clear}
  - {turns: [[rep, 0, "we never promise a guaranteed return"]], expect: clear}
"#,
    },
    Operator {
        name: "threshold",
        what: "With phrases: the least similarity, 0…1, instead of 0.75 (0.85 for phrases of few content words). With `regex`: the turn is also mended towards the pattern's own words (a word that sounds like one of them, that is missing between two or too many), never a negation or a number; what was mended must leave this similarity. Without it a pattern matches only what was recognised.",
        why: "Words in which one error changes the meaning; patterns that survive the recogniser.",
        example: r#"match: {right: {any: {en: ["cancel within fourteen days"]}, threshold: 1.0}}
require: {expr: right}
examples:
  - {turns: [[rep, 0, "you may cancel within 14 days"]], expect: met}
  - {turns: [[rep, 0, "you may cancel in fourteen days"]], expect: missed}
"#,
    },
    Operator {
        name: "near (qualifier)",
        what: "With `all` and `n_of`: the phrases stand in one turn, with at most this many words (Chinese: characters) between one and the next.",
        why: "Single words that only mean something together.",
        example: r#"match: {best: {all: {en: [best, price], zh: [最低, 价格]}, near: 2}}
forbid: {expr: best}
examples:
  - {turns: [[rep, 0, "this is the best possible price"]], expect: violated}
  - {turns: [[rep, 0, "the best thing about this one is the price"]], expect: clear}
  - {turns: [[rep, 0, "the best plan"], [rep, 6, "its price"]], expect: clear}
"#,
    },
    Operator {
        name: "within (window)",
        what: "Only this part of the call is searched: `first_s`, `first_turns`, `last_s`, `last_turns`, of the role's own turns. Spoken calls use the seconds where they are given, texts the turns. First and last together search only what is in both; for the beginning or the end take two matchers.",
        why: "An opening that comes in the middle is none.",
        example: r#"match: {greeting: {any: {en: ["good morning"]}, role: rep}}
require: {expr: greeting, within: {first_s: 10, first_turns: 2}}
examples:
  - {turns: [[rep, 0, "who is it"], [rep, 9.9, "good morning"]], expect: met}
  - {turns: [[rep, 0, "who is it"], [rep, 10, "good morning"]], expect: missed}
"#,
    },
    Operator {
        name: "period",
        what: "With `sentiment`, `pace`, `loudness` (and `duration`): `turn` (the default), `turn_change` (each turn less the same role's turn before), `first_quarter`, `last_quarter`, `call`, `shift` (last quarter less the first).",
        why: "A level, a jump or a drift.",
        example: r#"match: {worse: {sentiment: {lte: -2}, period: shift}}
forbid: {expr: worse}
examples:
  - {turns: [[customer, 0, "good", {sentiment: 1, end: 5}], [rep, 6, "yes", {end: 30}], [customer, 35, "bad", {sentiment: -1, end: 40}]], expect: violated}
  - {turns: [[customer, 0, "good", {sentiment: 1, end: 5}], [rep, 6, "yes", {end: 30}], [customer, 35, "well", {sentiment: -0.9, end: 40}]], expect: clear}
"#,
    },
    Operator {
        name: "and, or",
        what: "Both; at least one. `or` leaves out what is not applicable, `and` passes it on; unknown stays unknown unless the other part decides.",
        why: "One requirement, several ways of keeping it.",
        example: r#"match: {name: {any: {en: ["my name is"]}}, firm: {any: {en: ["from acme insurance"]}}, hello: {any: {en: ["good morning"]}}}
require: {expr: "(name or hello) and firm"}
examples:
  - {turns: [[rep, 0, "good morning i am from acme insurance"]], expect: met}
  - {turns: [[rep, 0, "my name is ann"]], expect: missed}
  - {turns: [[rep, 0, "i am from acme insurance"]], expect: missed}
"#,
    },
    Operator {
        name: "count",
        what: "In how many turns it is found, or one of several (`count(x or y) >= 2`), of all or of one role: `count(x, customer) >= 2`.",
        why: "Once may be a slip.",
        example: r#"match: {objection: {any: {en: ["too expensive"]}}}
forbid: {expr: "count(objection, customer) >= 2"}
examples:
  - {turns: [[customer, 0, "too expensive"], [rep, 3, "well"], [customer, 6, "still too expensive"]], expect: violated}
  - {turns: [[customer, 0, "too expensive"], [rep, 3, "too expensive"]], expect: clear}
"#,
    },
    Operator {
        name: "repeat(…)",
        what: "One role says it in n turns (2), the last within a distance of the first: `repeat(offer, 3) within 6 turns` of its own.",
        why: "Pressure is the same push again and again.",
        example: r#"match: {push: {any: {en: ["sign today"]}, role: rep}}
forbid: {expr: "repeat(push, 2) within 20 s or 2 turns"}
examples:
  - {turns: [[rep, 0, "sign today", {end: 2}], [customer, 3, "no"], [rep, 22, "please sign today"]], expect: violated}
  - {turns: [[rep, 0, "sign today", {end: 2}], [customer, 3, "no"], [rep, 22.1, "please sign today"]], expect: clear}
"#,
    },
    Operator {
        name: "order",
        what: "The first matches come in this order, and none is missing.",
        why: "Fee before signature.",
        example: r#"match: {fee: {any: {en: ["annual fee"]}}, risk: {any: {en: ["may lose value"]}}, sign: {any: {en: ["sign here"]}}}
require: {expr: "order(fee, risk, sign)"}
examples:
  - {turns: [[rep, 0, "the annual fee"], [rep, 5, "it may lose value"], [rep, 9, "please sign here"]], expect: met}
  - {turns: [[rep, 0, "please sign here"], [rep, 5, "it may lose value"], [rep, 9, "the annual fee"]], expect: missed}
  - {turns: [[rep, 0, "the annual fee"], [rep, 9, "please sign here"]], expect: missed}
"#,
    },
    Operator {
        name: "before",
        what: "`a before b`: the first a comes before the first b. With `each` or `within`: every (some) b has an a before it, that near; turns are those of a's speaker.",
        why: "To ask before putting somebody on hold.",
        example: r#"match: {asked: {any: {en: ["may i put you on hold"]}, role: rep}, hold: {any: {en: ["holding now"]}, role: rep}}
require: {expr: "asked before each hold within 1 turn"}
when: {expr: hold}
examples:
  - {turns: [[rep, 0, "may i put you on hold"], [customer, 3, "yes"], [rep, 5, "holding now"]], expect: met}
  - {turns: [[rep, 0, "may i put you on hold"], [rep, 3, "well"], [rep, 5, "holding now"]], expect: missed}
  - {turns: [[rep, 0, "holding now"], [rep, 5, "may i put you on hold"]], expect: missed}
"#,
    },
    Operator {
        name: "after",
        what: "`a after b`: some b (`after each`: every b) is followed by an a, `within` a number of turns of a's speaker or seconds from the end of b; `within 30 s or 4 turns` uses the turns in texts.",
        why: "An objection wants an answer.",
        example: r#"match: {objection: {act: price_objection}, answer: {act: objection_answer}}
forbid: {expr: "count(objection) >= 2 and not (answer after each objection within 1 turn)"}
examples:
  - {turns: [[customer, 0, "that is too expensive"], [rep, 4, "i see"], [customer, 9, "that is too expensive"], [rep, 12, "i understand that the price is a concern"]], expect: violated}
  - {turns: [[customer, 0, "that is too expensive"], [rep, 4, "i understand that the price is a concern"], [customer, 9, "that is too expensive"], [rep, 12, "i understand that the price is a concern"]], expect: clear}
"#,
    },
    Operator {
        name: "near",
        what: "`a near b`: some b (`near each`: every b) has an a in the turns around it (1, of all speakers) or within seconds before or after.",
        why: "A promise and its terms.",
        example: r#"match: {promise: {any: {en: ["guaranteed return"]}}, terms: {any: {en: ["terms and conditions apply"]}}}
forbid: {expr: "promise and not (terms near each promise within 2 turns)"}
examples:
  - {turns: [[rep, 0, "a guaranteed return"], [customer, 5, "nice"], [rep, 9, "sign here"]], expect: violated}
  - {turns: [[rep, 0, "a guaranteed return"], [customer, 5, "nice"], [rep, 9, "terms and conditions apply"]], expect: clear}
  - {turns: [[rep, 0, "a guaranteed return"], [customer, 5, "nice"], [rep, 9, "yes"], [rep, 12, "terms and conditions apply"]], expect: violated}
"#,
    },
    Operator {
        name: "when",
        what: "Where one of these does not hold, the item is not applicable: call_type, campaign, direction, language, medium, duration_s, first_contact, and an `expr` of the requirement's matchers.",
        why: "A rule for sales calls says nothing about support.",
        example: r#"match: {warning: {any: {en: ["this is an attempt to collect a debt"]}, role: rep}}
require: {expr: warning}
when: {first_contact: true, direction: [outbound]}
examples:
  - {turns: [[rep, 0, "this is an attempt to collect a debt"]], expect: met}
  - {turns: [[rep, 0, "hello there"]], expect: missed}
  - {turns: [[rep, 0, "hello there"]], first_contact: false, expect: n/a}
  - {turns: [[rep, 0, "hello there"]], direction: inbound, expect: n/a}
"#,
    },
    Operator {
        name: "except",
        what: "Where one of these matchers is found, the requirement is not applicable.",
        why: "The customer knows already.",
        example: r#"match: {said: {any: {en: ["this call is recorded"]}, role: rep}}
require: {expr: said}
except: [{any: {en: ["i know it is recorded"]}, role: customer}]
examples:
  - {turns: [[rep, 0, "hello"], [customer, 3, "i know it is recorded"]], expect: n/a}
  - {turns: [[rep, 0, "hello"], [customer, 3, "good morning"]], expect: missed}
  - {turns: [[rep, 0, "this call is recorded"]], expect: met}
"#,
    },
];
