//! A made-up call centre: reps with a true skill, teams, campaigns, and when they call.

use callmark_core::recording::Language;

use super::random::Random;

const REPS: u64 = 1;

/// Names of nobody: common given names, no surnames.
const NAMES_EN: [&str; 24] = [
    "Emily", "Daniel", "Karen", "Mark", "Laura", "Peter", "Nora", "Simon", "Alice", "Victor", "Helen", "Oscar",
    "Julia", "Martin", "Sophie", "Adam", "Clara", "Felix", "Irene", "Leo", "Monica", "Tim", "Vera", "Paul",
];
const NAMES_ZH: [&str; 12] =
    ["小王", "小李", "小张", "小刘", "小陈", "小杨", "小赵", "小周", "小吴", "小徐", "小孙", "小马"];

/// Calls per hour of the working day from 08:00 on, relative: two peaks and a lunch break.
const HOURS: [u32; 11] = [2, 8, 12, 11, 5, 6, 10, 11, 9, 5, 2];
/// How much likelier mistakes are in these hours, in permille: people tire after lunch and before the evening.
const TIRED: [i64; 11] = [1000, 900, 900, 950, 1050, 1150, 1000, 1000, 1100, 1300, 1400];

/// A campaign: what is sold or supported, for whom.
pub struct Campaign {
    pub name: &'static str,
    /// `sales` or `support`.
    pub call_type: &'static str,
    pub outbound: bool,
    pub company_en: &'static str,
    pub company_zh: &'static str,
    pub topic_en: &'static str,
    pub topic_zh: &'static str,
    pub product_en: &'static str,
    pub product_zh: &'static str,
}

#[rustfmt::skip]
pub const CAMPAIGNS: [Campaign; 8] = [
    Campaign { name: "car_renewal", call_type: "sales", outbound: true, company_en: "Harbor Insurance", company_zh: "海港保险", topic_en: "car insurance renewal", topic_zh: "车险", product_en: "Gold", product_zh: "安心" },
    Campaign { name: "broadband", call_type: "sales", outbound: true, company_en: "Metro Telecom", company_zh: "东方电信", topic_en: "internet plan", topic_zh: "家庭宽带", product_en: "Freedom", product_zh: "家庭" },
    Campaign { name: "energy", call_type: "sales", outbound: true, company_en: "Blue River Energy", company_zh: "蓝河能源", topic_en: "power contract", topic_zh: "用电方案", product_en: "Green", product_zh: "绿色" },
    Campaign { name: "mobile", call_type: "sales", outbound: true, company_en: "North Star Mobile", company_zh: "北星移动", topic_en: "phone plan", topic_zh: "手机套餐", product_en: "Family", product_zh: "亲情" },
    Campaign { name: "home_cover", call_type: "sales", outbound: true, company_en: "Sunrise Insurance", company_zh: "朝阳保险", topic_en: "home insurance", topic_zh: "家财险", product_en: "Silver", product_zh: "平安" },
    Campaign { name: "billing", call_type: "support", outbound: false, company_en: "City Power", company_zh: "城市电力", topic_en: "bill", topic_zh: "账单", product_en: "Basic", product_zh: "基础" },
    Campaign { name: "care", call_type: "support", outbound: false, company_en: "Metro Telecom", company_zh: "东方电信", topic_en: "line", topic_zh: "线路", product_en: "Freedom", product_zh: "家庭" },
    Campaign { name: "delivery", call_type: "support", outbound: false, company_en: "Garden Home Company", company_zh: "花园家居", topic_en: "order", topic_zh: "订单", product_en: "Comfort", product_zh: "舒适" },
];

/// A rep with what is true of it and what the tables show.
#[derive(Clone, Debug)]
pub struct Rep {
    pub id: String,
    pub name_en: &'static str,
    pub name_zh: &'static str,
    pub team: String,
    pub language: Language,
    /// Mistakes happen this often, relative to an average rep: 1000 is average, more is worse.
    pub mistakes_permille: i64,
    /// Which of the synthesised voices speaks for this rep.
    pub voice: usize,
}

/// The reps of a night: about one for 120 calls, at most 200.
pub fn reps(seed: u64, calls: u64, languages: &[Language]) -> Vec<Rep> {
    let count = (calls / 120).clamp(6, 200);
    (0..count)
        .map(|index| {
            let mut random = Random::new(seed, REPS, index);
            // A team speaks one language; Chinese teams are a quarter when both are wanted.
            let team = index / 12 + u64::from(count < 24 && index % 2 == 1);
            let chinese = languages.contains(&Language::Zh) && (!languages.contains(&Language::En) || team % 4 == 1);
            Rep {
                id: format!("R-{:03}", index + 1),
                name_en: random.pick(&NAMES_EN),
                name_zh: random.pick(&NAMES_ZH),
                team: format!("team-{:02}", team + 1),
                language: if chinese { Language::Zh } else { Language::En },
                mistakes_permille: (1000 + random.normal_milli() * 9 / 20).clamp(150, 2_500),
                voice: random.below(1 << 16),
            }
        })
        .collect()
}

/// When a call began.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub when: jiff::civil::DateTime,
    /// How much likelier mistakes are at that hour.
    pub tired_permille: i64,
}

/// Most calls are last night's; the others lie up to nine days back. Nobody works on Sundays.
pub fn start(random: &mut Random, last_day: jiff::civil::Date) -> Start {
    let back = if random.chance(750) { 0 } else { random.between(1, 9) };
    let mut day = last_day - jiff::Span::new().days(back);
    if day.weekday() == jiff::civil::Weekday::Sunday {
        day -= jiff::Span::new().days(1);
    }
    let hour = random.weighted(&HOURS);
    let when = day.at(8 + hour as i8, random.below(60) as i8, random.below(60) as i8, 0);
    Start { when, tired_permille: TIRED[hour] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reps_differ_and_teams_share_a_language() {
        let reps = reps(1, 20_000, &[Language::En, Language::Zh]);
        assert_eq!(reps.len(), 166);
        let chinese: Vec<&Rep> = reps.iter().filter(|r| r.language == Language::Zh).collect();
        assert!((24..=60).contains(&chinese.len()), "{}", chinese.len());
        for rep in &reps {
            assert!(reps.iter().filter(|r| r.team == rep.team).all(|r| r.language == rep.language));
        }
        let (best, worst) =
            (reps.iter().map(|r| r.mistakes_permille).min(), reps.iter().map(|r| r.mistakes_permille).max());
        assert!(best < Some(400) && worst > Some(1700), "{best:?} {worst:?}");
    }

    #[test]
    fn working_hours() {
        let mut random = Random::new(1, 9, 9);
        let last = jiff::civil::date(2025, 3, 7);
        let starts: Vec<Start> = (0..2_000).map(|_| start(&mut random, last)).collect();
        assert!(starts.iter().all(|s| (8..19).contains(&s.when.hour()) && s.when.date() <= last));
        let last_night = starts.iter().filter(|s| s.when.date() == last).count();
        assert!((1_400..1_600).contains(&last_night), "{last_night}");
    }
}
