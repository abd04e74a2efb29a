//! Where the pages of a report lie and how they link: one file with sections, or a file per page.

use callmark_core::record::UnscoredReason;
use callmark_core::recording::sha256_hex;

use crate::render::outputs::snake;

/// Rows of a list of calls on one page: opens at once, and prints.
pub const CALLS_PER_PAGE: usize = 250;
/// Opportunities on one page, each with its checklist and quotes.
pub const OPPORTUNITIES_PER_PAGE: usize = 100;

/// One file, or pages in the folder `report/` beside `report.html`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// report.html alone: to be sent or kept
    Single,
    /// report.html and a folder of pages: opens at once, however many calls
    Folder,
}

/// Calls that belong together; behind every number that counts calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    Scored,
    Pending,
    AutoFailed,
    Unscored(UnscoredReason),
    Requirement(String),
    /// Monday = 0, hour of the day.
    Hour(usize, usize),
}

/// A page of the report. Long lists of calls have several parts, from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    Team,
    Rep(String, usize),
    Call(String),
    List(List, usize),
    Journeys(usize),
    Indicators,
}

impl Page {
    /// The page's folder and name without ending; also its id in a one-file report.
    fn place(&self) -> (&'static str, String) {
        let part = |slug: String, part: usize| if part == 0 { slug } else { format!("{slug}.{}", part + 1) };
        match self {
            Page::Team => ("", "team".to_string()),
            Page::Rep(rep, n) => ("reps", part(slug(rep), *n)),
            Page::Call(call) => ("calls", slug(call)),
            Page::List(list, n) => ("lists", part(list.name(), *n)),
            Page::Indicators => ("indicators", "all".to_string()),
            Page::Journeys(n) => ("lists", part("journeys".to_string(), *n)),
        }
    }

    /// The file of this page, relative to the folder of `report.html`.
    pub fn file(&self) -> String {
        match self.place() {
            ("", _) => "report.html".to_string(),
            (folder, name) => format!("report/{folder}/{name}.html"),
        }
    }

    /// The page's name, unique in the report.
    pub fn id(&self) -> String {
        match self.place() {
            ("", name) => name,
            (folder, name) => format!("{folder}-{name}"),
        }
    }
}

impl List {
    fn name(&self) -> String {
        match self {
            List::Scored => "scored".to_string(),
            List::Pending => "pending".to_string(),
            List::AutoFailed => "auto-fail".to_string(),
            List::Unscored(reason) => format!("unscored-{}", snake(reason)),
            List::Requirement(id) => format!("requirement-{}", slug(id)),
            List::Hour(weekday, hour) => format!("hour-{weekday}-{hour:02}"),
        }
    }
}

/// A file name and HTML id for a name that may hold anything; unusual names carry a hash, so that they stay distinct.
pub fn slug(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= 80 && name.chars().all(plain) {
        return name.to_string();
    }
    let safe: String = name.chars().filter(|c| plain(*c)).take(40).collect();
    format!("{safe}~{}", &sha256_hex(name.as_bytes())[..12])
}

impl Layout {
    /// The id of an element of a page.
    pub fn element(self, page: &Page, element: &str) -> String {
        match self {
            Layout::Single => format!("{}.{element}", page.id()),
            Layout::Folder => element.to_string(),
        }
    }

    /// The id of the page itself.
    pub fn top(self, page: &Page) -> String {
        match self {
            Layout::Single => page.id(),
            Layout::Folder => "top".to_string(),
        }
    }

    /// A link from one page to an element of another.
    pub fn href(self, from: &Page, to: &Page, element: Option<&str>) -> String {
        if self == Layout::Single || from == to {
            return format!("#{}", element.map_or_else(|| self.top(to), |element| self.element(to, element)));
        }
        let anchor = element.map_or(String::new(), |element| format!("#{element}"));
        format!("{}{}{anchor}", from.up(), to.file())
    }

    /// A link from a page to a file of the folder `report/`.
    pub fn asset(self, from: &Page, name: &str) -> String {
        format!("{}report/{name}", from.up())
    }
}

impl Page {
    fn up(&self) -> &'static str {
        if *self == Page::Team { "" } else { "../../" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_distinct() {
        assert_eq!(slug("T-1001"), "T-1001");
        let hostile =
            ["", "../../etc/passwd", "a b", "a\u{202e}b", "张三", "李四", "<script>", "T-1001 ", &"x".repeat(300)];
        let slugs: std::collections::BTreeSet<String> = hostile.iter().map(|name| slug(name)).collect();
        assert_eq!(slugs.len(), hostile.len());
        for slug in slugs {
            assert!(slug.len() < 64 && slug.chars().all(|c| c.is_ascii_alphanumeric() || "-_~".contains(c)), "{slug}");
        }
    }

    #[test]
    fn links_in_one_file_are_anchors_and_in_a_folder_paths() {
        let (call, rep) = (Page::Call("T-1".into()), Page::Rep("R 1".into(), 1));
        assert_eq!(Layout::Single.href(&rep, &call, Some("row-3")), "#calls-T-1.row-3");
        assert_eq!(Layout::Folder.href(&Page::Team, &call, Some("row-3")), "report/calls/T-1.html#row-3");
        assert_eq!(Layout::Folder.href(&call, &Page::Team, None), "../../report.html");
        assert!(Layout::Folder.href(&call, &rep, None).starts_with("../../report/reps/R1~"));
        assert!(Layout::Folder.href(&call, &rep, None).ends_with(".2.html"));
        assert_eq!(Layout::Folder.asset(&call, "style.css"), "../../report/style.css");
    }
}
