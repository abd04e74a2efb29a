//! The expression language of scorecards: `count(objection) >= 2 and not (answer after each objection within 4 turns)`.
//!
//! ```text
//! expr   = and { "or" and } ;
//! and    = not { "and" not } ;
//! not    = "not" not | "(" expr ")" | "count" "(" name ")" op number | "order" "(" name { "," name } ")"
//!        | name [ "before" name | ( "after" [ "each" ] | "near" ) name [ "within" number ( "turn" | "turns" ) ] ] ;
//! op     = ">=" | ">" | "==" | "<=" | "<" ;
//! name   = letter or "_" { letter | digit | "_" } ;      a matcher of the requirement
//! ```
//!
//! Logic is three-valued with a fourth outcome, *not applicable*, for matchers that this call cannot have (no phrases in
//! its language, times in a text): `or` leaves it out, everything else passes it on. Distances count turns, because
//! recognised text may have no sentence marks.

use std::fmt;

use crate::record::Evidence;
use crate::transcript::Role;

/// Expressions nest at most this deep; deeper ones are errors.
const MAX_DEPTH: usize = 32;

/// A parsed expression over matcher names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    Name(String),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// In how many turns the matcher holds.
    Count {
        name: String,
        op: Comparison,
        number: u32,
    },
    /// The matchers' first matches come in this order; false when one has none.
    Order(Vec<String>),
    /// The first match of `first` comes before the first of `second`; false when one has none.
    Before {
        first: String,
        second: String,
    },
    /// Some match (`each`: every match) of `anchor` is followed by one of `name`, at most `turns` turns of the speaker of
    /// `name` later. `each` holds when there is no anchor.
    After {
        name: String,
        anchor: String,
        each: bool,
        turns: Option<u32>,
    },
    /// Matches of both are at most `turns` turns apart (0: the same turn; all speakers' turns count; default 1).
    Near {
        name: String,
        anchor: String,
        turns: u32,
    },
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

const RESERVED: [&str; 12] =
    ["or", "and", "not", "count", "order", "before", "after", "each", "near", "within", "turn", "turns"];

/// True when a matcher may have this name.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !RESERVED.contains(&text)
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
            let name = self.name()?;
            self.need_symbol(")")?;
            let operators = [
                (">=", Comparison::AtLeast),
                (">", Comparison::MoreThan),
                ("==", Comparison::Exactly),
                ("<=", Comparison::AtMost),
                ("<", Comparison::LessThan),
            ];
            for (symbol, op) in operators {
                if self.take_symbol(symbol) {
                    return Ok(Expr::Count { name, op, number: self.number()? });
                }
            }
            return Err(self.error("expected one of >= > == <= <"));
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
        if self.take_word("before") {
            return Ok(Expr::Before { first: name, second: self.name()? });
        }
        if self.take_word("after") {
            let each = self.take_word("each");
            let anchor = self.name()?;
            return Ok(Expr::After { name, anchor, each, turns: self.within()? });
        }
        if self.take_word("near") {
            let anchor = self.name()?;
            return Ok(Expr::Near { name, anchor, turns: self.within()?.unwrap_or(1) });
        }
        Ok(Expr::Name(name))
    }

    fn within(&mut self) -> Result<Option<u32>, ExprError> {
        if !self.take_word("within") {
            return Ok(None);
        }
        let number = self.number()?;
        if self.take_word("turns") || self.take_word("turn") {
            Ok(Some(number))
        } else {
            Err(self.error("expected `turns`"))
        }
    }
}

impl Expr {
    /// All matcher names, in order of appearance, with repetitions.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Expr::Name(name) | Expr::Count { name, .. } => vec![name],
            Expr::Not(inner) => inner.names(),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(Expr::names).collect(),
            Expr::Order(names) => names.iter().map(String::as_str).collect(),
            Expr::Before { first: a, second: b }
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

/// Evaluates an expression. `find` gives what each matcher found; `roles` has one entry per turn.
pub fn evaluate<'f>(expr: &Expr, find: &dyn Fn(&str) -> &'f Found, roles: &[Role]) -> Conclusion {
    match expr {
        Expr::Name(name) => {
            let found = find(name);
            Conclusion::new(found.truth, found.occurrences.clone())
        }
        Expr::Not(inner) => {
            let Conclusion { truth, occurrences } = evaluate(inner, find, roles);
            let truth = match truth {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                other => other,
            };
            Conclusion::new(truth, occurrences)
        }
        Expr::Or(parts) => {
            let parts: Vec<Conclusion> = parts.iter().map(|p| evaluate(p, find, roles)).collect();
            let has = |truth| parts.iter().any(|p| p.truth == truth);
            let truth = [Truth::True, Truth::Unknown, Truth::False]
                .into_iter()
                .find(|t| has(*t))
                .unwrap_or(Truth::NotApplicable);
            merge(truth, parts)
        }
        Expr::And(parts) => {
            let parts: Vec<Conclusion> = parts.iter().map(|p| evaluate(p, find, roles)).collect();
            let has = |truth| parts.iter().any(|p| p.truth == truth);
            let truth = [Truth::False, Truth::NotApplicable, Truth::Unknown]
                .into_iter()
                .find(|t| has(*t))
                .unwrap_or(Truth::True);
            merge(truth, parts)
        }
        Expr::Count { name, op, number } => {
            let found = find(name);
            let mut turns: Vec<usize> = found.occurrences.iter().map(|o| o.turn).collect();
            turns.dedup();
            let count = turns.len() as u32;
            let truth = match found.truth {
                Truth::True | Truth::False => op.holds(count, *number).into(),
                other => other,
            };
            Conclusion::new(truth, found.occurrences.clone())
        }
        Expr::Order(names) => sequence(names.iter().map(|n| find(n)).collect()),
        Expr::Before { first, second } => sequence(vec![find(first), find(second)]),
        Expr::After { name, anchor, each, turns } => after(find(name), find(anchor), *each, *turns, roles),
        Expr::Near { name, anchor, turns } => near(find(name), find(anchor), *turns as usize),
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

fn after(named: &Found, anchors: &Found, each: bool, turns: Option<u32>, roles: &[Role]) -> Conclusion {
    if anchors.truth == Truth::NotApplicable || named.truth == Truth::NotApplicable {
        return Conclusion::new(Truth::NotApplicable, Vec::new());
    }
    let follows = |anchor: &Occurrence, o: &Occurrence| {
        if !precedes(anchor, o) {
            return false;
        }
        let speaker = roles.get(o.turn);
        let distance = (anchor.turn + 1..=o.turn).filter(|t| roles.get(*t) == speaker).count();
        turns.is_none_or(|limit| distance <= limit as usize)
    };
    let mut open = Vec::new();
    let mut closed = Vec::new();
    for anchor in &anchors.occurrences {
        match named.occurrences.iter().find(|o| follows(anchor, o)) {
            Some(o) => closed.push((anchor, o)),
            None => open.push(anchor),
        }
    }
    let pairs = |closed: &[(&Occurrence, &Occurrence)]| {
        let mut all: Vec<Occurrence> = Vec::new();
        for (anchor, o) in closed {
            for place in [*anchor, *o] {
                if !all.contains(place) {
                    all.push(place.clone());
                }
            }
        }
        all
    };
    let unknown = anchors.truth == Truth::Unknown || named.truth == Truth::Unknown;
    match (each, open.is_empty(), closed.is_empty()) {
        (false, _, false) => Conclusion::new(Truth::True, pairs(&closed)),
        _ if unknown => Conclusion::new(Truth::Unknown, open.into_iter().cloned().collect()),
        (true, true, _) => Conclusion::new(Truth::True, pairs(&closed)),
        _ => Conclusion::new(Truth::False, open.into_iter().cloned().collect()),
    }
}

fn near(named: &Found, anchors: &Found, turns: usize) -> Conclusion {
    let mut all: Vec<Occurrence> = Vec::new();
    for anchor in &anchors.occurrences {
        for o in named.occurrences.iter().filter(|o| o.turn.abs_diff(anchor.turn) <= turns) {
            for place in [o, anchor] {
                if !all.contains(place) {
                    all.push(place.clone());
                }
            }
        }
    }
    let truth = if all.is_empty() { undecided(&[named, anchors]).unwrap_or(Truth::False) } else { Truth::True };
    Conclusion::new(truth, all)
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
            ("absent", found(&[])),
            ("unsure", none(Truth::Unknown)),
            ("na", none(Truth::NotApplicable)),
        ])
    }

    /// Value and turns of the supporting places, on ten turns: rep even, customer odd.
    fn check(expr: &str) -> (Truth, Vec<usize>) {
        let world = world();
        let roles: Vec<Role> = (0..10).map(|t| if t % 2 == 0 { Role::Rep } else { Role::Customer }).collect();
        let parsed = parse(expr).unwrap();
        let result = evaluate(&parsed, &|name| &world[name], &roles);
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
            ("mid near early within 1 turns", True, &[2, 1]),
            ("late near early within 2 turns", False, &[]),
            ("late near mid", True, &[7, 6]),
            ("count(mid) >= 2 and not (absent after each mid within 4 turns)", True, &[2, 6]),
            ("count(mid) >= 2 and not (late after each mid within 4 turns)", False, &[2, 7, 6]),
            ("(absent or early) and (late)", True, &[1, 7]),
        ];
        for (expr, truth, turns) in cases {
            assert_eq!(check(expr), (*truth, turns.to_vec()), "{expr}");
        }
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
