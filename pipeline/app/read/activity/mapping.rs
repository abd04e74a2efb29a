//! `[[import]]` of the configuration: which column of a source says what. And the mapping that usual column names suggest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use callmark_core::journey::TouchpointKind;
use callmark_core::performance::{Measure, Unit};
use serde::Deserialize;

use crate::config::did_you_mean;
use crate::read::metadata::fields::Field;

/// A measure, by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Column(pub Measure);

impl TryFrom<String> for Column {
    type Error = String;

    fn try_from(name: String) -> Result<Column, String> {
        Measure::of_column(&name).map(Column).ok_or_else(|| {
            const OTHERS: &[&str] = &[
                "name",
                "rep",
                "date",
                "date_format",
                "id",
                "team",
                "tenure_start",
                "event",
                "events",
                "each",
                "opportunity",
                "customer",
                "value",
                "text",
            ];
            let measures = Measure::ALL.iter().map(|measure| measure.column());
            let suggestion = did_you_mean(&name, measures.clone().chain(OTHERS.iter().copied()));
            let known: Vec<&str> = measures.collect();
            format!(
                "`{name}` is no key or measure of an import{suggestion}\nhint: the measures are {}",
                known.join(", ")
            )
        })
    }
}

/// What a row counts as: one more of a measure, or a touchpoint of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Counted {
    Measure(Measure),
    Touchpoint(TouchpointKind),
}

impl Counted {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Measure(measure) => measure.column(),
            Counted::Touchpoint(kind) => kind.id(),
        }
    }
}

impl TryFrom<String> for Counted {
    type Error = String;

    fn try_from(name: String) -> Result<Counted, String> {
        let measure = Measure::of_column(&name).map(Counted::Measure);
        measure.or_else(|| TouchpointKind::of_id(&name).map(Counted::Touchpoint)).ok_or_else(|| {
            let measures = Measure::ALL.iter().filter(|measure| measure.unit() == Unit::Count).map(|m| m.column());
            let kinds = TouchpointKind::ALL.iter().map(|kind| kind.id());
            let suggestion = did_you_mean(&name, measures.clone().chain(kinds.clone()));
            let [measures, kinds]: [Vec<&str>; 2] = [measures.collect(), kinds.collect()];
            format!(
                "a row of an import cannot count as `{name}`{suggestion}\nhint: it can be a measure ({}) or a touchpoint ({})",
                measures.join(", "),
                kinds.join(", ")
            )
        })
    }
}

/// One source: a call log, a sales system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mapping {
    pub name: String,
    pub rep: String,
    pub date: String,
    /// As of strftime; without it the year comes first.
    pub date_format: Option<String>,
    /// What identifies a row, so that a corrected one replaces it; without it what the row says.
    pub id: Option<String>,
    pub team: Option<String>,
    pub tenure_start: Option<String>,
    /// The column that says what happened, where a row is an event, …
    pub event: Option<String>,
    /// … and what each of its values counts as.
    #[serde(default)]
    pub events: BTreeMap<String, Vec<Counted>>,
    /// What every row counts as.
    #[serde(default)]
    pub each: Vec<Counted>,
    /// Where rows are touchpoints: whose they are (one of the two), …
    pub opportunity: Option<String>,
    pub customer: Option<String>,
    /// … what the opportunity is worth, and the wording of a proposal.
    pub value: Option<String>,
    pub text: Option<String>,
    /// Measures with columns of their own.
    #[serde(flatten)]
    pub columns: BTreeMap<Column, String>,
}

/// Finds sources that cannot be imported, and names that stand twice.
pub fn check_mappings(mappings: &[Mapping]) -> Result<(), String> {
    for (index, mapping) in mappings.iter().enumerate() {
        let name = &mapping.name;
        if mappings[..index].iter().any(|other| other.name == *name) {
            return Err(format!("two imports are called `{name}`\nhint: give each source a name of its own"));
        }
        if mapping.event.is_some() == mapping.events.is_empty() {
            return Err(format!(
                "the import `{name}` needs both `event` (a column) and `events` (what its values count as), or neither\n\
                 hint: event = \"Disposition\", events = {{ ANSWERED = [\"dialled\", \"connected\"] }}"
            ));
        }
        if mapping.columns.is_empty() && mapping.event.is_none() && mapping.each.is_empty() {
            return Err(format!(
                "the import `{name}` names no measure\nhint: add one, for example dialled = \"Calls\""
            ));
        }
        let counted = || mapping.events.values().flatten().chain(&mapping.each);
        let no_count =
            |counted: &&Counted| matches!(counted, Counted::Measure(measure) if measure.unit() != Unit::Count);
        if let Some(measure) = counted().find(no_count) {
            return Err(format!(
                "in the import `{name}` `{0}` cannot be counted by rows\nhint: name its column: {0} = \"…\"",
                measure.name()
            ));
        }
        let whose = mapping.opportunity.is_some() || mapping.customer.is_some();
        let details = whose || mapping.value.is_some() || mapping.text.is_some();
        let touchpoint = counted().find(|counted| matches!(counted, Counted::Touchpoint(_)));
        if let Some(touchpoint) = touchpoint.filter(|_| !whose) {
            return Err(format!(
                "the import `{name}` does not say whose touchpoint `{}` is\nhint: name the column: opportunity = \"…\" or customer = \"…\"",
                touchpoint.name()
            ));
        }
        if details && touchpoint.is_none() {
            return Err(format!(
                "the import `{name}` names opportunity, customer, value or text, but no row of it is a touchpoint\n\
                 hint: event = \"Type\", events = {{ Proposal = [\"proposal\"] }}, or each = [\"visit\"]"
            ));
        }
        if let Some(format) = &mapping.date_format
            && jiff::fmt::strtime::format(format, jiff::civil::date(2025, 2, 19).at(6, 1, 22, 0)).is_err()
        {
            return Err(format!(
                "the date_format of the import `{name}` is none\nhint: write it like %d.%m.%Y or %m/%d/%Y %H:%M"
            ));
        }
    }
    Ok(())
}

impl Mapping {
    /// The columns that a file must have.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        let optional = [
            &self.id,
            &self.team,
            &self.tenure_start,
            &self.event,
            &self.opportunity,
            &self.customer,
            &self.value,
            &self.text,
        ]
        .into_iter()
        .flatten();
        [&self.rep, &self.date].into_iter().chain(optional).chain(self.columns.values()).map(String::as_str)
    }

    /// The mapping as the configuration holds it.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
        let mut text = format!("[[import]]\nname = {}\n", quoted(&self.name));
        let keys = [
            ("rep", Some(&self.rep)),
            ("date", Some(&self.date)),
            ("date_format", self.date_format.as_ref()),
            ("id", self.id.as_ref()),
            ("team", self.team.as_ref()),
            ("tenure_start", self.tenure_start.as_ref()),
            ("opportunity", self.opportunity.as_ref()),
            ("customer", self.customer.as_ref()),
            ("value", self.value.as_ref()),
            ("text", self.text.as_ref()),
        ];
        let measures = self.columns.iter().map(|(Column(measure), column)| (measure.column(), Some(column)));
        for (key, column) in keys.into_iter().chain(measures) {
            if let Some(column) = column {
                let _ = writeln!(text, "{key} = {}", quoted(column));
            }
        }
        let list = |counted: &[Counted]| {
            let names: Vec<String> = counted.iter().map(|counted| quoted(counted.name())).collect();
            format!("[{}]", names.join(", "))
        };
        if !self.each.is_empty() {
            let _ = writeln!(text, "each = {}", list(&self.each));
        }
        if let Some(event) = &self.event {
            let events = self.events.iter().map(|(value, counted)| format!("{} = {}", quoted(value), list(counted)));
            let events: Vec<String> = events.collect();
            let _ = writeln!(text, "event = {}\nevents = {{ {} }}", quoted(event), events.join(", "));
        }
        text
    }
}

/// Usual names of measures, as [`plain`] makes them.
const MEASURES: &[(Measure, &[&str])] = &[
    (
        Measure::Dialled,
        &[
            "dialled",
            "dialed",
            "dials",
            "calls",
            "calls_dialled",
            "calls_dialed",
            "calls_made",
            "outbound_calls",
            "外呼量",
            "外呼数",
            "外呼次数",
            "拨打量",
            "拨打数",
            "拨打次数",
            "呼出量",
            "呼出数",
        ],
    ),
    (
        Measure::Connected,
        &[
            "connected",
            "answered",
            "connects",
            "calls_connected",
            "calls_answered",
            "接通",
            "接通量",
            "接通数",
            "接通次数",
        ],
    ),
    (Measure::Talk, &["talk_s", "talk_time", "talk_seconds", "talk_time_s", "billsec", "通话时长", "通话秒数"]),
    (Measure::Leads, &["leads", "线索", "线索数", "名单量", "名单数"]),
    (Measure::Opportunities, &["opportunities", "opps", "商机", "商机数", "意向客户数"]),
    (Measure::Deals, &["deals", "orders", "sales", "won", "成交", "成交数", "成交量", "成交单数", "订单数"]),
    (Measure::Revenue, &["revenue", "amount", "sales_amount", "成交金额", "成交额", "金额", "销售额"]),
    (Measure::Complaints, &["complaints", "投诉", "投诉数", "投诉量"]),
    (Measure::Repurchases, &["repurchases", "repurchase", "复购", "复购数"]),
    (Measure::Cases, &["cases", "tickets", "工单数", "问题数"]),
    (Measure::FirstContactResolved, &["first_contact_resolved", "fcr", "首次解决", "首次解决数", "一次解决数"]),
    (Measure::Customers, &["customers", "customers_covered", "客户数", "覆盖客户数"]),
];
const REPS: &[&str] = &["sales_rep", "salesperson", "owner", "employee", "业务员", "销售", "销售员", "员工"];
const DATES: &[&str] = &["date", "day", "日期", "统计日期", "通话日期", "业务日期"];
const IDS: &[&str] = &["row_id", "record_id", "id", "记录id", "记录编号"];
const TENURES: &[&str] = &["tenure_start", "hire_date", "hired", "入职日期", "入职时间"];
const EVENTS: &[&str] = &["disposition", "call_result", "call_status", "通话结果", "呼叫结果", "通话状态"];
/// Values of Asterisk's dispositions and of Chinese call logs: reached, not reached.
const REACHED: &[&str] = &["ANSWERED", "已接通", "接通"];
const NOT_REACHED: &[&str] = &[
    "NO ANSWER",
    "BUSY",
    "FAILED",
    "CONGESTION",
    "未接通",
    "未接",
    "无人接听",
    "占线",
    "忙线",
    "关机",
    "停机",
    "空号",
    "拒接",
];

/// A column's name without capital letters; blanks and hyphens as underscores.
pub fn plain(column: &str) -> String {
    column.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The mapping that usual column names suggest; `None` unless rep, day and something to count are among them.
pub fn guess(name: &str, header: &[&str]) -> Option<Mapping> {
    let named = |names: &[&str]| header.iter().find(|column| names.contains(&plain(column).as_str()));
    let field = |field: Field| {
        let sure = header.iter().find(|column| Field::of_column(column) == Some(field));
        sure.or_else(|| header.iter().find(|column| Field::second_choice(column) == Some(field)))
    };
    let text = |column: Option<&&str>| column.map(|column| column.to_string());
    let measures = MEASURES.iter().filter_map(|(measure, names)| Some((Column(*measure), text(named(names))?)));
    let columns: BTreeMap<Column, String> = measures.collect();
    // Who counts calls in columns counts no dispositions.
    let counted = [Measure::Dialled, Measure::Connected].iter().any(|measure| columns.contains_key(&Column(*measure)));
    let event = text(named(EVENTS)).filter(|_| !counted);
    let (reached, dialled) = (
        vec![Counted::Measure(Measure::Dialled), Counted::Measure(Measure::Connected)],
        vec![Counted::Measure(Measure::Dialled)],
    );
    let events = REACHED.iter().map(|value| (value.to_string(), reached.clone()));
    let events = events.chain(NOT_REACHED.iter().map(|value| (value.to_string(), dialled.clone())));
    let mapping = Mapping {
        name: name.to_string(),
        rep: text(field(Field::RepId).or_else(|| named(REPS)))?,
        date: text(named(DATES).or_else(|| field(Field::StartTs)))?,
        date_format: None,
        id: text(named(IDS).or_else(|| field(Field::CallId))),
        team: text(field(Field::Team)),
        tenure_start: text(named(TENURES)),
        events: if event.is_some() { events.collect() } else { BTreeMap::new() },
        event,
        each: Vec::new(),
        opportunity: None,
        customer: None,
        value: None,
        text: None,
        columns,
    };
    check_mappings(std::slice::from_ref(&mapping)).is_ok().then_some(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mapping, String> {
        let mapping: Mapping = toml::from_str(text).map_err(|error| error.message().to_string())?;
        check_mappings(std::slice::from_ref(&mapping)).map(|()| mapping)
    }

    const CRM: &str = "name = 'crm'\nrep = 'Agent'\ndate = 'Date'\n";

    #[test]
    fn mistakes_are_named_with_a_remedy() {
        let cases = [
            ("dialed = 'Calls'", "did you mean `dialled`?"),
            ("evnet = 'Calls'", "did you mean `event`?"),
            ("", "names no measure"),
            ("event = 'Result'", "`events`"),
            ("each = ['talk_s']", "talk_s = "),
            ("dialled = 'Calls'\ndate_format = '%!'", "%d.%m.%Y"),
            ("each = ['visits']", "did you mean `visit`?"),
            ("each = ['visit']", "whose touchpoint `visit` is"),
            ("each = ['dialled']\ncustomer = 'C'", "no row of it is a touchpoint"),
            ("each = ['visit']\ncustomr = 'C'", "did you mean `customer`?"),
        ];
        for (text, meaning) in cases {
            let error = parse(&format!("{CRM}{text}")).unwrap_err();
            assert!(error.contains(meaning) && error.contains("hint:"), "{text}: {error}");
        }
        let mapping = parse(&format!("{CRM}each = ['dialled']")).unwrap();
        assert!(check_mappings(&[mapping.clone(), mapping]).unwrap_err().contains("two imports"));
    }

    #[test]
    fn a_guess_can_be_pasted() {
        let header = ["Call ID", "Agent Name", "calldate", "Disposition", "billsec", "Customer Phone"];
        let mapping = guess("cdr", &header).unwrap();
        assert_eq!((mapping.rep.as_str(), mapping.date.as_str()), ("Agent Name", "calldate"));
        assert_eq!(mapping.id.as_deref(), Some("Call ID"));
        assert_eq!(mapping.events["NO ANSWER"], [Counted::Measure(Measure::Dialled)]);
        let pasted: toml::Table = toml::from_str(&mapping.to_toml()).unwrap();
        let pasted = pasted["import"][0].clone().try_into::<Mapping>().unwrap();
        assert_eq!(pasted, mapping);
        let chinese = guess("crm", &["坐席", "日期", "外呼量", "接通量", "成交金额", "客户电话"]).unwrap();
        assert_eq!(chinese.columns.len(), 3);
        assert!(chinese.event.is_none() && chinese.id.is_none());
        assert_eq!(guess("x", &["Agent", "Date", "Phone"]), None);
        assert_eq!(guess("x", &["Agent", "Calls"]), None);
    }
}
