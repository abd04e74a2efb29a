//! Recordings that hold one side of a call each → pairs, by their names and by what the metadata say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use callmark_core::recording::Metadata;

use crate::discover::{Candidate, is_text_name};
use crate::read::metadata::fill;

/// Words of file names and of the metadata's `side` that say whose voice a recording holds.
const REP: &[&str] = &["rep", "agent", "operator", "advisor", "employee", "internal", "客服", "坐席", "座席"];
const CUSTOMER: &[&str] = &["customer", "caller", "callee", "client", "external", "客户", "来电"];
/// Two sides of which nobody says who is who.
const UNNAMED: &[(&str, &str)] = &[("in", "out"), ("rx", "tx"), ("left", "right")];
/// The group of `in` and `out`. Folders of these names hold inbound and outbound calls as often, whose numbers may be the same: there,
/// only a common call id pairs.
const IN_AND_OUT: usize = 1;
/// Keys of the metadata's extra fields that are about a side, not about the call.
const SIDE: &str = "side";
const OFFSET: &str = "offset_ms";

/// Which side: the group of words that opposes it, and whether it is the first there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    /// 0: rep and customer; from 1: [`UNNAMED`].
    group: usize,
    second: bool,
}

/// Two recordings of one call, as places in the list of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The rep's, when roles are known.
    pub first: usize,
    pub second: usize,
    pub roles_known: bool,
    /// How long after the first the second begins, where the metadata say so.
    pub second_begins_ms: Option<i64>,
}

fn side(word: &str) -> Option<Side> {
    let word = word.trim().to_lowercase();
    let named = |words: &[&str], second| words.contains(&&*word).then_some(Side { group: 0, second });
    let unnamed = || {
        let of = |(n, pair): (usize, &(&str, &str))| {
            let second = word == pair.1;
            (second || word == pair.0).then_some(Side { group: n + 1, second })
        };
        UNNAMED.iter().enumerate().find_map(of)
    };
    named(REP, false).or_else(|| named(CUSTOMER, true)).or_else(unnamed)
}

/// What is left of a path without a word of it that is a side: the name in a folder that has the word (none comes first: names outrank
/// folders), the folder, what stands before the word and after it.
type Rest = (Option<String>, PathBuf, String, String);

/// Every word of a recording's name, and of its folder's, that is a side, with the rest of the path.
fn sides_of_path(path: &Path) -> Vec<(Rest, Side)> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = |(before, after, side)| ((None, folder.to_path_buf(), before, after), side);
    let mut found: Vec<(Rest, Side)> = sides_in(&stem).into_iter().map(beside).collect();
    let above = folder.parent().unwrap_or(Path::new(""));
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let apart = |(before, after, side)| ((Some(stem.to_string()), above.to_path_buf(), before, after), side);
    found.extend(sides_in(&name).into_iter().map(apart));
    found
}

/// What stands before and after every word that is a side.
fn sides_in(name: &str) -> Vec<(String, String, Side)> {
    let mut found = Vec::new();
    let mut from = 0;
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        if let Some(side) = side(word) {
            found.push((name[..from].to_string(), name[from + word.len()..].to_string(), side));
        }
        from += part.len();
    }
    found
}

/// Pairs by names alone: equal but for the word that says the side, in one folder; or of one name in two folders whose names are equal
/// but for that word.
fn pairs_by_name(candidates: &[Candidate], free: impl Fn(usize) -> bool) -> Vec<(usize, usize, Side)> {
    let mut places: BTreeMap<(Rest, usize), [Vec<usize>; 2]> = BTreeMap::new();
    for (place, candidate) in candidates.iter().enumerate().filter(|(place, _)| free(*place)) {
        let says_direction = |(rest, side): &(Rest, Side)| rest.0.is_some() && side.group == IN_AND_OUT;
        for (rest, side) in sides_of_path(&candidate.path).into_iter().filter(|found| !says_direction(found)) {
            places.entry((rest, side.group)).or_default()[usize::from(side.second)].push(place);
        }
    }
    let mut taken = vec![false; candidates.len()];
    let mut pairs = Vec::new();
    for ((_, group), [firsts, seconds]) in places {
        // `call_agent.wav`, `call_rep.wav` and `call_caller.wav`: nobody can say which two.
        if let ([first], [second]) = (firsts.as_slice(), seconds.as_slice())
            && !taken[*first]
            && !taken[*second]
        {
            (taken[*first], taken[*second]) = (true, true);
            pairs.push((*first, *second, Side { group, second: false }));
        }
    }
    pairs
}

/// Each recording that has another side → that one.
pub fn partners(candidates: &[Candidate], about: &[Metadata]) -> BTreeMap<PathBuf, PathBuf> {
    let both_ways = |pair: Pair| {
        let [a, b] = [pair.first, pair.second].map(|place| candidates[place].path.clone());
        [(a.clone(), b.clone()), (b, a)]
    };
    pairs(candidates, about).into_iter().flat_map(both_ways).collect()
}

/// The pairs among recordings with their metadata: two of one call id whose `side` or name says who speaks, then those whose
/// names differ by a side alone.
pub fn pairs(candidates: &[Candidate], about: &[Metadata]) -> Vec<Pair> {
    let sound = |place: usize| !is_text_name(&candidates[place].file_name);
    let mut calls: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, metadata) in about.iter().enumerate().filter(|(place, _)| sound(*place)) {
        if let Some(id) = &metadata.call_id {
            calls.entry(id).or_default().push(place);
        }
    }
    let sides = |place: usize| match about[place].extra.get(SIDE).and_then(|word| side(word)) {
        Some(side) => vec![side],
        None => sides_of_path(&candidates[place].path).into_iter().map(|(_, side)| side).collect(),
    };
    let opposite = |places: &[usize]| {
        let [a, b] = *places else { return None };
        let other = sides(b);
        let mine = sides(a).into_iter().find(|s| other.contains(&Side { second: !s.second, ..*s }))?;
        let (first, second) = if mine.second { (b, a) } else { (a, b) };
        Some((first, second, mine))
    };
    let mut found: Vec<_> = calls.values().filter_map(|places| opposite(places)).collect();
    let used: BTreeSet<usize> = found.iter().flat_map(|(first, second, _)| [*first, *second]).collect();
    let by_name = pairs_by_name(candidates, |place| sound(place) && !used.contains(&place));
    let one_call = |(first, second, _): &(usize, usize, Side)| match (&about[*first].call_id, &about[*second].call_id) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    found.extend(by_name.into_iter().filter(one_call));
    let pair = |(first, second, side): (usize, usize, Side)| {
        let offset = |place: usize| about[place].extra.get(OFFSET).and_then(|ms| ms.trim().parse::<i64>().ok());
        let second_begins_ms = match (offset(first), offset(second)) {
            (None, None) => None,
            (a, b) => Some(b.unwrap_or(0).saturating_sub(a.unwrap_or(0))),
        };
        Pair { first, second, roles_known: side.group == 0, second_begins_ms }
    };
    found.into_iter().map(pair).collect()
}

/// The call's metadata from those of its two recordings; where they contradict each other about the direction (`in` and
/// `out` are sides here), nothing is said.
pub fn metadata_of_call(first: &Metadata, second: &Metadata) -> Metadata {
    let contradict = first.direction.zip(second.direction).is_some_and(|(a, b)| a != b);
    let mut metadata = fill(first.clone(), second.clone());
    if contradict {
        metadata.direction = None;
    }
    metadata.extra.retain(|key, _| key != SIDE && key != OFFSET);
    metadata
}

#[cfg(test)]
mod tests {
    use callmark_core::recording::Direction;
    use callmark_store::FileStamp;

    use super::*;

    fn candidate(path: &str) -> Candidate {
        let file_name = path.rsplit('/').next().unwrap_or(path).to_string();
        let stamp = FileStamp { path: path.into(), size: 1, mtime_ns: 0, inode: 0 };
        Candidate { path: path.into(), file_name, stamp, changed_ns: 0 }
    }

    fn names(paths: &[&str]) -> Vec<(usize, usize, bool)> {
        let candidates: Vec<_> = paths.iter().map(|path| candidate(path)).collect();
        let found = pairs(&candidates, &vec![Metadata::default(); paths.len()]);
        found.into_iter().map(|pair| (pair.first, pair.second, pair.roles_known)).collect()
    }

    #[test]
    fn names_that_differ_by_a_side_are_one_call() {
        assert_eq!(names(&["n/7_caller.wav", "n/7_agent.wav"]), [(1, 0, true)]);
        assert_eq!(names(&["n/Agent-7.WAV", "n/client-7.mp3"]), [(0, 1, true)]);
        assert_eq!(names(&["n/7-in.wav", "n/7-out.wav"]), [(0, 1, false)]);
        assert_eq!(names(&["n/agent.wav", "n/caller.wav"]), [(0, 1, true)]);
        assert_eq!(names(&["n/通话7_客服.wav", "n/通话7_客户.wav"]), [(0, 1, true)]);
        // A rep's name may hold a word, too: the pair is where names differ by it alone.
        assert_eq!(names(&["agent_17_agent.wav", "agent_17_caller.wav"]), [(0, 1, true)]);
    }

    #[test]
    fn folders_may_say_the_side() {
        assert_eq!(names(&["n/agent/7.wav", "n/caller/7.wav"]), [(0, 1, true)]);
        assert_eq!(names(&["rx/7.wav", "tx/7.wav", "rx/8.wav"]), [(0, 1, false)]);
        assert_eq!(names(&["n/customer/2/7.wav", "n/agent/2/7.wav"]), [], "the word is in the recording's own folder");
        assert_eq!(names(&["n/2-customer/7.mp3", "n/2-agent/7.wav"]), [(1, 0, true)]);
        assert_eq!(names(&["in/7_agent.wav", "in/7_caller.wav", "out/7_agent.wav"]), [(0, 1, true)]);
    }

    #[test]
    fn what_is_not_surely_two_sides_stays_two_recordings() {
        for other in [
            &["a/7_agent.wav", "b/7_caller.wav"][..],
            &["7_agent.wav", "8_caller.wav"],
            &["rx/7.wav", "tx/8.wav"],
            &["n/rx/7.wav", "m/tx/7.wav"],
            &["n/left/7.wav", "n/tx/7.wav"],
            &["n/rx/7.wav", "n/7.wav"],
            // An inbound and an outbound call.
            &["in/7.wav", "out/7.wav"],
            &["7_agent.wav", "7_in.wav"],
            &["7_agent.wav", "7.wav"],
            &["reporting.wav", "customering.wav"],
            &["7_agent.vtt", "7_caller.vtt"],
            &["7_agent.wav", "7_rep.wav", "7_caller.wav"],
        ] {
            assert_eq!(names(other), [], "{other:?}");
        }
    }

    #[test]
    fn metadata_name_sides_and_offsets() {
        let with = |pairs: &[(&str, &str)]| Metadata {
            call_id: Some("C-1".into()),
            extra: pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            ..Metadata::default()
        };
        let files = [candidate("a.wav"), candidate("b.wav")];
        let about = [with(&[("side", "Customer"), ("offset_ms", "250")]), with(&[("side", "agent"), ("queue", "2")])];
        let pair = Pair { first: 1, second: 0, roles_known: true, second_begins_ms: Some(250) };
        assert_eq!(pairs(&files, &about), [pair]);
        let call = metadata_of_call(&about[1], &about[0]);
        assert_eq!(call.extra.into_iter().collect::<Vec<_>>(), [("queue".to_string(), "2".to_string())]);
        let folders = [candidate("in/7.wav"), candidate("out/7.wav")];
        let pair = Pair { first: 0, second: 1, roles_known: false, second_begins_ms: None };
        assert_eq!(pairs(&folders, &[with(&[]), with(&[])]), [pair], "one call id, and folders that say the side");
        assert_eq!(pairs(&files, &[with(&[]), with(&[])]), [], "one call id alone does not say that they are sides");
        let mut apart = [with(&[]), with(&[])];
        apart[1].call_id = Some("C-2".into());
        assert_eq!(pairs(&[candidate("7_agent.wav"), candidate("7_caller.wav")], &apart), []);
        let direction = |direction| Metadata { direction: Some(direction), ..Metadata::default() };
        let call = metadata_of_call(&direction(Direction::Inbound), &direction(Direction::Outbound));
        assert_eq!(call.direction, None);
    }

    #[test]
    fn partners_go_both_ways() {
        let files = [candidate("7_agent.wav"), candidate("7_caller.wav"), candidate("8.wav")];
        let found = partners(&files, &vec![Metadata::default(); 3]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[Path::new("7_caller.wav")], Path::new("7_agent.wav"));
    }
}
