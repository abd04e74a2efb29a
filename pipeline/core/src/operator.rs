//! The expression language of scorecards: `count(objection) >= 2 and not (answer after each objection within 4 turns)`.
//!
//! [`GRAMMAR`] says what can be written. Logic is three-valued with a fourth outcome, *not applicable*, for matchers that
//! this call cannot have (no phrases in its language, times in a text): `or`, also within `count`, leaves it out, everything else passes it on.
//! Distances count turns, because recognised text may have no sentence marks, or seconds where the call has them.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::accuracy::pattern;
use crate::record::Evidence;
use crate::transcript::Role;

/// The grammar of expressions (EBNF, ISO/IEC 14977).
pub const GRAMMAR: &str = r#"expr     = and, { "or", and } ;
and      = not, { "and", not } ;
not      = "not", not | "(", expr, ")" | count | repeat | order | relation ;
count    = "count", "(", name, { "or", name }, [ ",", role ], ")", compare, number ;
repeat   = "repeat", "(", name, [ ",", number ], ")", [ within ] ;
order    = "order", "(", name, { ",", name }, ")" ;
relation = name, [ ( "before" | "after" | "near" ), [ "each" ], name, [ within ] ] ;
within   = "within", distance, [ "or", distance ] ;
distance = number, ( "turn" | "turns" | "s" | "second" | "seconds" ) ;
compare  = ">=" | ">" | "==" | "<=" | "<" ;
role     = "rep" | "customer" ;
name     = ( letter | "_" ), { letter | digit | "_" } ;   (* a matcher of the requirement *)
"#;

/// Expressions nest at most this deep; deeper ones are errors.
const MAX_DEPTH: usize = 32;

/// A parsed expression over matcher names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    Name(String),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// In how many turns (of one role) one of the matchers holds.
    Count {
        names: Vec<String>,
        role: Option<Role>,
        op: Comparison,
        number: u32,
    },
    /// The matcher holds in `times` turns of one role, the last within reach of the first.
    Repeat {
        name: String,
        times: u32,
        reach: Reach,
    },
    /// The matchers' first matches come in this order; false when one has none.
    Order(Vec<String>),
    /// The first match of `name` comes before the first of `anchor`; false when one has none. With `each` or a limit: some
    /// (every) match of `anchor` has one of `name` before it, counted in turns of the speaker of `name`.
    Before {
        name: String,
        anchor: String,
        each: bool,
        reach: Reach,
    },
    /// Some match (`each`: every match) of `anchor` is followed by one of `name`, counted in turns of the speaker of `name`.
    /// `each` holds when there is no anchor.
    After {
        name: String,
        anchor: String,
        each: bool,
        reach: Reach,
    },
    /// Some match (`each`: every match) of `anchor` has one of `name` near it: all speakers' turns count, 0 is the same turn.
    Near {
        name: String,
        anchor: String,
        each: bool,
        reach: Reach,
    },
}

/// How far apart two matches may be; without a limit, as far as they like. Where both are given, spoken calls use the time
/// (from the end of the first to the begin of the second) and texts the turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub turns: Option<u32>,
    pub ms: Option<i64>,
}

impl Reach {
    fn is_open(self) -> bool {
        self == Reach::default()
    }

    /// True when the times that it needs are not there.
    fn needs_clock(self, timed: bool) -> bool {
        !timed && self.ms.is_some() && self.turns.is_none()
    }

    fn holds(self, turns: usize, ms: i64, timed: bool) -> bool {
        match (self.ms, self.turns) {
            (Some(limit), _) if timed => ms <= limit,
            (_, Some(limit)) => turns <= limit as usize,
            _ => true,
        }
    }
}

/// The turns of the call that an expression is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct Turns<'a> {
    /// One entry per turn.
    pub roles: &'a [Role],
    /// False for texts: distances in seconds cannot be told.
    pub timed: bool,
}

impl Turns<'_> {
    /// How many turns of the role that speaks in `of` there are among `range`.
    fn own(&self, of: usize, range: impl Iterator<Item = usize>) -> usize {
        let speaker = self.roles.get(of);
        range.filter(|turn| self.roles.get(*turn) == speaker).count()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtLeast,
    MoreThan,
    Exactly,
    AtMost,
    LessThan,
}

impl Comparison {
    /// All of them with their symbols, a symbol before its own beginning.
    const ALL: [(&'static str, Comparison); 5] = [
        (">=", Comparison::AtLeast),
        (">", Comparison::MoreThan),
        ("==", Comparison::Exactly),
        ("<=", Comparison::AtMost),
        ("<", Comparison::LessThan),
    ];

    fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Comparison::AtLeast => left >= right,
            Comparison::MoreThan => left > right,
            Comparison::Exactly => left == right,
            Comparison::AtMost => left <= right,
            Comparison::LessThan => left < right,
        }
    }
}

/// Why an expression cannot be read; `column` counts characters from 1 inside the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    pub message: String,
    pub column: usize,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {} of the expression", self.message, self.column)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lexeme {
    Word(String),
    Number(u32),
    Symbol(&'static str),
}

fn lex(text: &str) -> Result<Vec<(Lexeme, usize)>, ExprError> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        let lexeme = match chars[i] {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            c if c.is_ascii_digit() => {
                while i < chars.len() && chars[i].is_ascii_digit() {
                    i += 1;
                }
                let digits: String = chars[start..i].iter().collect();
                let error = |_| ExprError { message: format!("number `{digits}` is too large"), column: start + 1 };
                Lexeme::Number(digits.parse().map_err(error)?)
            }
            c if c.is_alphabetic() || c == '_' => {
                while i < chars.len() && (chars[i].is_alphanumeric() || chars[i] == '_') {
                    i += 1;
                }
                Lexeme::Word(chars[start..i].iter().collect())
            }
            _ => {
                let symbols = [">=", "<=", "==", ">", "<", "(", ")", ","];
                let starts = |s: &&&str| s.chars().enumerate().all(|(k, c)| chars.get(i + k) == Some(&c));
                let Some(symbol) = symbols.iter().find(starts) else {
                    let message = format!("unexpected `{}`", chars[i]);
                    return Err(ExprError { message, column: start + 1 });
                };
                i += symbol.len();
                Lexeme::Symbol(symbol)
            }
        };
        out.push((lexeme, start + 1));
    }
    Ok(out)
}

/// The words of the grammar that say what is done with names.
pub const OPERATORS: [&str; 11] =
    ["or", "and", "not", "count", "repeat", "order", "before", "after", "each", "near", "within"];
/// Units of distances.
const UNITS: [&str; 2] = ["turn", "turns"];

/// True when a matcher may have this name.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !OPERATORS.contains(&text)
        && !UNITS.contains(&text)
}

/// The operators that an expression uses, by name, each once.
pub fn operators_in(expression: &str) -> Vec<&'static str> {
    // The `or` within `count(a or b)` joins names, not sides.
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bcount\s*\([^)]*\)"));
    let expression = COUNT.replace_all(expression, "count");
    let words: Vec<&str> = expression.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    OPERATORS.iter().copied().filter(|operator| words.contains(operator)).collect()
}

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, ExprError> {
    let lexemes = lex(text)?;
    let mut parser = Parser { lexemes: &lexemes, at: 0, end: text.chars().count() + 1 };
    let expr = parser.or(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.error("expected `and`, `or` or the end")),
    }
}

struct Parser<'a> {
    lexemes: &'a [(Lexeme, usize)],
    at: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Lexeme> {
        self.lexemes.get(self.at).map(|(lexeme, _)| lexeme)
    }

    fn error(&self, message: &str) -> ExprError {
        ExprError { message: message.to_string(), column: self.lexemes.get(self.at).map_or(self.end, |(_, c)| *c) }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Lexeme::Word(w)) if w == word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Lexeme::Symbol(s)) if *s == symbol);
        self.at += usize::from(found);
        found
    }

    fn need_symbol(&mut self, symbol: &str) -> Result<(), ExprError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.error(&format!("expected `{symbol}`"))) }
    }

    fn name(&mut self) -> Result<String, ExprError> {
        match self.peek() {
            Some(Lexeme::Word(word)) if is_name(word) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.error("expected the name of a matcher")),
        }
    }

    fn number(&mut self) -> Result<u32, ExprError> {
        match self.peek() {
            Some(Lexeme::Number(number)) => {
                let number = *number;
                self.at += 1;
                Ok(number)
            }
            _ => Err(self.error("expected a number")),
        }
    }

    fn or(&mut self, depth: usize) -> Result<Expr, ExprError> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self, depth: usize) -> Result<Expr, ExprError> {
        let mut parts = vec![self.not(depth)?];
        while self.take_word("and") {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn not(&mut self, depth: usize) -> Result<Expr, ExprError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("the expression nests too deep"));
        }
        if self.take_word("not") {
            return Ok(Expr::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take_symbol("(") {
            let inner = self.or(depth + 1)?;
            self.need_symbol(")")?;
            return Ok(inner);
        }
        if self.take_word("count") {
            self.need_symbol("(")?;
            let mut names = vec![self.name()?];
            while self.take_word("or") {
                names.push(self.name()?);
            }
            let role = if self.take_symbol(",") { Some(self.role()?) } else { None };
            self.need_symbol(")")?;
            for (symbol, op) in Comparison::ALL {
                if self.take_symbol(symbol) {
                    return Ok(Expr::Count { names, role, op, number: self.number()? });
                }
            }
            return Err(self.error("expected one of >= > == <= <"));
        }
        if self.take_word("repeat") {
            self.need_symbol("(")?;
            let name = self.name()?;
            let times = if self.take_symbol(",") { self.number()? } else { 2 };
            if times < 2 {
                self.at -= 1;
                return Err(self.error("a repetition takes at least 2 times"));
            }
            self.need_symbol(")")?;
            return Ok(Expr::Repeat { name, times, reach: self.within()? });
        }
        if self.take_word("order") {
            self.need_symbol("(")?;
            let mut names = vec![self.name()?];
            while self.take_symbol(",") {
                names.push(self.name()?);
            }
            self.need_symbol(")")?;
            return Ok(Expr::Order(names));
        }
        let name = self.name()?;
        let relations = ["before", "after", "near"];
        let Some(relation) = relations.into_iter().find(|word| self.take_word(word)) else {
            return Ok(Expr::Name(name));
        };
        let each = self.take_word("each");
        let anchor = self.name()?;
        let reach = self.within()?;
        Ok(match relation {
            "before" => Expr::Before { name, anchor, each, reach },
            "after" => Expr::After { name, anchor, each, reach },
            _ if reach.is_open() => Expr::Near { name, anchor, each, reach: Reach { turns: Some(1), ms: None } },
            _ => Expr::Near { name, anchor, each, reach },
        })
    }

    fn role(&mut self) -> Result<Role, ExprError> {
        match (self.take_word("rep"), self.take_word("customer")) {
            (true, _) => Ok(Role::Rep),
            (_, true) => Ok(Role::Customer),
            _ => Err(self.error("expected `rep` or `customer`")),
        }
    }

    fn within(&mut self) -> Result<Reach, ExprError> {
        let mut reach = Reach::default();
        if !self.take_word("within") {
            return Ok(reach);
        }
        loop {
            let number = self.number()?;
            let turns = self.take_word("turns") || self.take_word("turn");
            let seconds = !turns && ["s", "seconds", "second"].into_iter().any(|word| self.take_word(word));
            if (turns && reach.turns.is_some()) || (seconds && reach.ms.is_some()) {
                self.at -= 1;
                return Err(self.error("this distance is given twice"));
            }
            match (turns, seconds) {
                (true, _) => reach.turns = Some(number),
                (_, true) => reach.ms = Some(i64::from(number) * 1_000),
                _ => return Err(self.error("expected `turns` or `s`")),
            }
            // Only a second distance begins with a number; any other `or` belongs to the expression.
            let goes_on = matches!(self.peek(), Some(Lexeme::Word(word)) if word == "or")
                && matches!(self.lexemes.get(self.at + 1), Some((Lexeme::Number(_), _)));
            if !goes_on {
                return Ok(reach);
            }
            self.at += 1;
        }
    }
}

impl Expr {
    /// All matcher names, in order of appearance, with repetitions.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Expr::Name(name) | Expr::Repeat { name, .. } => vec![name],
            Expr::Not(inner) => inner.names(),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(Expr::names).collect(),
            Expr::Count { names, .. } | Expr::Order(names) => names.iter().map(String::as_str).collect(),
            Expr::Before { name: a, anchor: b, .. }
            | Expr::After { name: a, anchor: b, .. }
            | Expr::Near { name: a, anchor: b, .. } => vec![a, b],
        }
    }

    /// True when the sequence of events matters, so that evidence is best read in time order.
    pub fn is_about_sequence(&self) -> bool {
        match self {
            Expr::Name(_) => false,
            Expr::Not(inner) => inner.is_about_sequence(),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().any(Expr::is_about_sequence),
            _ => true,
        }
    }
}

/// The outcome of a matcher or expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    True,
    False,
    Unknown,
    NotApplicable,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Truth {
        if value { Truth::True } else { Truth::False }
    }
}

/// One place where a matcher holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The turn in which it begins; for a silence the turn before it.
    pub turn: usize,
    /// Order inside the turn (token or byte; only compared with others of the same turn and kind).
    pub position: usize,
    pub evidence: Evidence,
}

/// What a matcher found in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub truth: Truth,
    /// In order of (turn, position).
    pub occurrences: Vec<Occurrence>,
}

/// The value of an expression with the places that support it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    pub truth: Truth,
    /// Without repetitions.
    pub occurrences: Vec<Occurrence>,
}

impl Conclusion {
    fn new(truth: Truth, occurrences: Vec<Occurrence>) -> Conclusion {
        Conclusion { truth, occurrences }
    }
}

/// Evaluates an expression. `find` gives what each matcher found.
pub fn evaluate<'f>(expr: &Expr, find: &dyn Fn(&str) -> &'f Found, turns: Turns<'_>) -> Conclusion {
    match expr {
        Expr::Name(name) => {
            let found = find(name);
            Conclusion::new(found.truth, found.occurrences.clone())
        }
        Expr::Not(inner) => {
            let Conclusion { truth, occurrences } = evaluate(inner, find, turns);
            let truth = match truth {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                other => other,
            };
            Conclusion::new(truth, occurrences)
        }
        Expr::Or(parts) => {
            let parts: Vec<Conclusion> = parts.iter().map(|p| evaluate(p, find, turns)).collect();
            let has = |truth| parts.iter().any(|p| p.truth == truth);
            let truth = [Truth::True, Truth::Unknown, Truth::False]
                .into_iter()
                .find(|t| has(*t))
                .unwrap_or(Truth::NotApplicable);
            merge(truth, parts)
        }
        Expr::And(parts) => {
            let parts: Vec<Conclusion> = parts.iter().map(|p| evaluate(p, find, turns)).collect();
            let has = |truth| parts.iter().any(|p| p.truth == truth);
            let truth = [Truth::False, Truth::NotApplicable, Truth::Unknown]
                .into_iter()
                .find(|t| has(*t))
                .unwrap_or(Truth::True);
            merge(truth, parts)
        }
        Expr::Count { names, role, op, number } => {
            let found: Vec<&Found> = names.iter().map(|name| find(name)).collect();
            if found.iter().all(|f| f.truth == Truth::NotApplicable) {
                return Conclusion::new(Truth::NotApplicable, vec![]);
            }
            let said = |o: &&Occurrence| role.is_none_or(|role| turns.roles.get(o.turn) == Some(&role));
            let holds = found.iter().filter(|f| f.truth == Truth::True);
            let mut counted: Vec<Occurrence> = Vec::new();
            for occurrence in holds.flat_map(|f| &f.occurrences).filter(said) {
                if !counted.contains(occurrence) {
                    counted.push(occurrence.clone());
                }
            }
            // Matchers count positions each in its own way: within a turn they stay in the order of their names.
            counted.sort_by_key(|o| o.turn);
            let in_turns = counted.chunk_by(|a, b| a.turn == b.turn).count() as u32;
            let now = op.holds(in_turns, *number);
            // What is unsure may hold in more turns; it matters unless no number of them changes the result.
            let decided = [in_turns.max(*number), u32::MAX].into_iter().all(|n| op.holds(n, *number) == now);
            let is_unsure = !decided && found.iter().any(|f| f.truth == Truth::Unknown);
            Conclusion::new(if is_unsure { Truth::Unknown } else { now.into() }, counted)
        }
        Expr::Repeat { name, times, reach } => repeated(find(name), *times as usize, *reach, turns),
        Expr::Order(names) => sequence(names.iter().map(|n| find(n)).collect()),
        Expr::Before { name, anchor, each: false, reach } if reach.is_open() => {
            sequence(vec![find(name), find(anchor)])
        }
        Expr::Before { name, anchor, each, reach } => {
            let reaches = |a: &Occurrence, o: &Occurrence| {
                let ms = a.evidence.begin_ms - o.evidence.end_ms;
                precedes(o, a) && reach.holds(turns.own(o.turn, o.turn..a.turn), ms, turns.timed)
            };
            paired(find(name), find(anchor), *each, reach.needs_clock(turns.timed), &reaches)
        }
        Expr::After { name, anchor, each, reach } => {
            let reaches = |a: &Occurrence, o: &Occurrence| {
                let ms = o.evidence.begin_ms - a.evidence.end_ms;
                precedes(a, o) && reach.holds(turns.own(o.turn, a.turn + 1..o.turn + 1), ms, turns.timed)
            };
            paired(find(name), find(anchor), *each, reach.needs_clock(turns.timed), &reaches)
        }
        Expr::Near { name, anchor, each, reach } => {
            let reaches = |a: &Occurrence, o: &Occurrence| {
                let (a_at, o_at) = (&a.evidence, &o.evidence);
                let ms = (a_at.begin_ms - o_at.end_ms).max(o_at.begin_ms - a_at.end_ms);
                reach.holds(o.turn.abs_diff(a.turn), ms, turns.timed)
            };
            paired(find(name), find(anchor), *each, reach.needs_clock(turns.timed), &reaches)
        }
    }
}

/// Keeps the places of those parts that decide.
fn merge(truth: Truth, parts: Vec<Conclusion>) -> Conclusion {
    let mut occurrences: Vec<Occurrence> = Vec::new();
    for occurrence in parts.into_iter().filter(|p| p.truth == truth).flat_map(|p| p.occurrences) {
        if !occurrences.contains(&occurrence) {
            occurrences.push(occurrence);
        }
    }
    Conclusion::new(truth, occurrences)
}

/// What two matchers leave undecided whatever else they found.
fn undecided(found: &[&Found]) -> Option<Truth> {
    [Truth::NotApplicable, Truth::Unknown].into_iter().find(|t| found.iter().any(|f| f.truth == *t))
}

/// First matches in order.
fn sequence(found: Vec<&Found>) -> Conclusion {
    let firsts: Vec<Occurrence> = found.iter().filter_map(|f| f.occurrences.first().cloned()).collect();
    if let Some(truth) = undecided(&found) {
        return Conclusion::new(truth, firsts);
    }
    let ordered = firsts.windows(2).all(|pair| precedes(&pair[0], &pair[1]));
    Conclusion::new((firsts.len() == found.len() && ordered).into(), firsts)
}

fn precedes(a: &Occurrence, b: &Occurrence) -> bool {
    (a.turn, a.position) < (b.turn, b.position)
}

/// Some anchor (`each`: every one) has a match that `reaches` accepts.
fn paired(
    named: &Found,
    anchors: &Found,
    each: bool,
    no_clock: bool,
    reaches: &dyn Fn(&Occurrence, &Occurrence) -> bool,
) -> Conclusion {
    if no_clock || anchors.truth == Truth::NotApplicable || named.truth == Truth::NotApplicable {
        return Conclusion::new(Truth::NotApplicable, Vec::new());
    }
    let mut open = Vec::new();
    let mut closed: Vec<Occurrence> = Vec::new();
    for anchor in &anchors.occurrences {
        match named.occurrences.iter().find(|o| reaches(anchor, o)) {
            None => open.push(anchor.clone()),
            Some(o) => {
                for place in [anchor, o] {
                    if !closed.contains(place) {
                        closed.push(place.clone());
                    }
                }
            }
        }
    }
    let unknown = anchors.truth == Truth::Unknown || named.truth == Truth::Unknown;
    match (each, open.is_empty(), closed.is_empty()) {
        (false, _, false) => Conclusion::new(Truth::True, closed),
        _ if unknown => Conclusion::new(Truth::Unknown, open),
        (true, true, _) => Conclusion::new(Truth::True, closed),
        _ => Conclusion::new(Truth::False, open),
    }
}

/// `times` turns of one role in a row of its matches, the last within reach of the first.
fn repeated(found: &Found, times: usize, reach: Reach, turns: Turns<'_>) -> Conclusion {
    if reach.needs_clock(turns.timed) {
        return Conclusion::new(Truth::NotApplicable, Vec::new());
    }
    for role in [Role::Rep, Role::Customer, Role::Unknown] {
        let mut said: Vec<&Occurrence> =
            found.occurrences.iter().filter(|o| turns.roles.get(o.turn) == Some(&role)).collect();
        said.dedup_by_key(|o| o.turn);
        for row in said.windows(times) {
            let (first, last) = (row[0], row[times - 1]);
            let ms = last.evidence.begin_ms - first.evidence.end_ms;
            if reach.holds(turns.own(last.turn, first.turn + 1..last.turn + 1), ms, turns.timed) {
                return Conclusion::new(Truth::True, row.iter().map(|o| (*o).clone()).collect());
            }
        }
    }
    let truth = if found.truth == Truth::True { Truth::False } else { found.truth };
    Conclusion::new(truth, found.occurrences.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::MatchType;

    fn place(turn: usize) -> Occurrence {
        let evidence = Evidence {
            turn: Some(turn as u32),
            begin_ms: turn as i64 * 1_000,
            end_ms: turn as i64 * 1_000 + 500,
            quote: format!("t{turn}"),
            match_type: MatchType::Exact,
            confidence_permille: 1_000,
        };
        Occurrence { turn, position: 0, evidence }
    }

    fn world() -> BTreeMap<&'static str, Found> {
        let found = |turns: &[usize]| Found {
            truth: Truth::from(!turns.is_empty()),
            occurrences: turns.iter().map(|t| place(*t)).collect(),
        };
        let none = |truth| Found { truth, occurrences: Vec::new() };
        BTreeMap::from([
            ("early", found(&[1])),
            ("mid", found(&[2, 6])),
            ("late", found(&[7])),
            ("both", found(&[2, 3, 7])),
            ("absent", found(&[])),
            ("unsure", none(Truth::Unknown)),
            ("na", none(Truth::NotApplicable)),
        ])
    }

    /// Value and turns of the supporting places, on ten turns: rep even, customer odd.
    fn check(expr: &str, timed: bool) -> (Truth, Vec<usize>) {
        let world = world();
        let roles: Vec<Role> = (0..10).map(|t| if t % 2 == 0 { Role::Rep } else { Role::Customer }).collect();
        let parsed = parse(expr).unwrap();
        let result = evaluate(&parsed, &|name| &world[name], Turns { roles: &roles, timed });
        (result.truth, result.occurrences.iter().map(|o| o.turn).collect())
    }

    #[test]
    fn evaluates_every_operator() {
        use Truth::*;
        let cases: &[(&str, Truth, &[usize])] = &[
            ("early", True, &[1]),
            ("absent", False, &[]),
            ("early and late", True, &[1, 7]),
            ("early and absent", False, &[]),
            ("absent or late", True, &[7]),
            ("absent or absent", False, &[]),
            ("not absent", True, &[]),
            ("not early", False, &[1]),
            ("absent and unsure", False, &[]),
            ("early and unsure", Unknown, &[]),
            ("early or unsure", True, &[1]),
            ("absent or unsure", Unknown, &[]),
            ("not unsure", Unknown, &[]),
            ("na or early", True, &[1]),
            ("na or absent", False, &[]),
            ("na and early", NotApplicable, &[]),
            ("na", NotApplicable, &[]),
            ("count(mid) >= 2", True, &[2, 6]),
            ("count(mid) > 2", False, &[2, 6]),
            ("count(mid) == 2", True, &[2, 6]),
            ("count(mid) < 2", False, &[2, 6]),
            ("count(absent) <= 0", True, &[]),
            ("count(unsure) >= 1", Unknown, &[]),
            ("count(mid or late) >= 3", True, &[2, 6, 7]),
            ("count(mid or mid) >= 3", False, &[2, 6]),
            ("count(mid or late, rep) >= 3", False, &[2, 6]),
            ("count(mid or na) >= 2", True, &[2, 6]),
            ("count(na or mid) >= 3", False, &[2, 6]),
            ("count(na or unsure) >= 1", Unknown, &[]),
            ("count(na) >= 0", NotApplicable, &[]),
            ("count(mid or absent) == 2", True, &[2, 6]),
            ("count(mid or unsure) >= 2", True, &[2, 6]),
            ("count(mid or unsure) >= 3", Unknown, &[2, 6]),
            ("count(mid or unsure) < 2", False, &[2, 6]),
            ("count(mid or unsure) == 2", Unknown, &[2, 6]),
            ("count(mid or unsure) == 1", False, &[2, 6]),
            ("order(early, mid, late)", True, &[1, 2, 7]),
            ("order(late, mid)", False, &[7, 2]),
            ("order(early, absent)", False, &[1]),
            ("early before late", True, &[1, 7]),
            ("late before early", False, &[7, 1]),
            ("absent before early", False, &[1]),
            ("mid after early within 1 turns", True, &[1, 2]),
            ("late after early within 2 turns", False, &[1]),
            ("late after early within 3 turns", True, &[1, 7]),
            ("late after early", True, &[1, 7]),
            ("late after each mid within 1 turn", False, &[2]),
            ("late after each mid within 3 turns", True, &[2, 7, 6]),
            ("late after each absent", True, &[]),
            ("unsure after each mid", Unknown, &[2, 6]),
            ("mid near early within 1 turns", True, &[1, 2]),
            ("late near early within 5 turns", False, &[1]),
            ("late near early within 6 turns", True, &[1, 7]),
            ("late near mid", True, &[6, 7]),
            ("early near late", False, &[7]),
            ("late near each mid", False, &[2]),
            ("late near each mid within 5 turns", True, &[2, 7, 6]),
            ("unsure near mid", Unknown, &[2, 6]),
            ("na near mid", NotApplicable, &[]),
            // Seconds go from the end of the first to the begin of the second.
            ("late after early within 5 s", False, &[1]),
            ("late after early within 6 s", True, &[1, 7]),
            ("late after mid within 0 s", False, &[2, 6]),
            ("late after mid within 1 second", True, &[6, 7]),
            ("early near late within 5 seconds", False, &[7]),
            ("early near late within 6 seconds", True, &[7, 1]),
            // Where the call has times, they count.
            ("late after early within 6 s or 1 turn", True, &[1, 7]),
            ("late after early within 5 s or 9 turns", False, &[1]),
            ("absent after early within 1 s or late", True, &[7]),
            // Turns of the speaker of what comes before.
            ("early before mid within 1 turn", True, &[2, 1]),
            ("early before late within 2 turns", False, &[7]),
            ("early before late within 3 turns", True, &[7, 1]),
            ("early before late within 5 s", False, &[7]),
            ("early before late within 6 s", True, &[7, 1]),
            ("early before each mid", True, &[2, 1, 6]),
            ("late before each mid", False, &[2, 6]),
            ("mid before each early", False, &[1]),
            ("early before each absent", True, &[]),
            ("count(mid, rep) == 2", True, &[2, 6]),
            ("count(mid, customer) == 0", True, &[]),
            ("repeat(mid)", True, &[2, 6]),
            ("repeat(mid, 3)", False, &[2, 6]),
            ("repeat(mid) within 1 turn", False, &[2, 6]),
            ("repeat(mid) within 2 turns", True, &[2, 6]),
            ("repeat(mid) within 3 s", False, &[2, 6]),
            ("repeat(mid) within 4 s", True, &[2, 6]),
            ("repeat(early)", False, &[1]),
            ("repeat(both)", True, &[3, 7]),
            ("repeat(absent)", False, &[]),
            ("repeat(unsure)", Unknown, &[]),
            ("repeat(na)", NotApplicable, &[]),
            ("count(mid) >= 2 and not (absent after each mid within 4 turns)", True, &[2, 6]),
            ("count(mid) >= 2 and not (late after each mid within 4 turns)", False, &[2, 7, 6]),
            ("(absent or early) and (late)", True, &[1, 7]),
        ];
        for (expr, truth, turns) in cases {
            assert_eq!(check(expr, true), (*truth, turns.to_vec()), "{expr}");
        }
        let in_texts: &[(&str, Truth, &[usize])] = &[
            ("late after early within 6 s", NotApplicable, &[]),
            ("early before late within 6 s", NotApplicable, &[]),
            ("late near early within 6 s", NotApplicable, &[]),
            ("repeat(mid) within 4 s", NotApplicable, &[]),
            ("late after early within 1 s or 3 turns", True, &[1, 7]),
            ("late after early within 9 s or 2 turns", False, &[1]),
        ];
        for (expr, truth, turns) in in_texts {
            assert_eq!(check(expr, false), (*truth, turns.to_vec()), "{expr}");
        }
    }

    #[test]
    fn names_that_are_counted_together_are_no_sides() {
        assert_eq!(operators_in("count(a or account, rep) >= 2 and not b"), ["and", "not", "count"]);
        assert_eq!(operators_in("a or count_of(b)"), ["or"]);
    }

    #[test]
    fn says_where_an_expression_is_wrong() {
        for (text, column, part) in [
            ("a or", 5, "name"),
            ("a b", 3, "expected `and`"),
            ("count(a) = 2", 10, "unexpected `=`"),
            ("count(a) 2", 10, "one of"),
            ("(a", 3, "`)`"),
            ("a after b within turns", 18, "number"),
            ("a after b within 2 minutes", 20, "turns"),
            ("a after b within 2 turns or 3 turns", 31, "twice"),
            ("count(a, ivr) > 1", 10, "`rep` or `customer`"),
            ("repeat(a, 1)", 11, "at least 2"),
            ("a near each", 12, "name"),
            ("repeat", 7, "`(`"),
            ("", 1, "name"),
            ("count(a) >= 99999999999", 13, "too large"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
        assert!(parse(&format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000))).is_err());
        assert!(parse(&"not ".repeat(100_000)).is_err());
    }
}
