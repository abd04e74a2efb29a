//! What Chinese characters sound like: pinyin syllables without tones, and which of them are taken for one another.

use pinyin::ToPinyinMulti;

/// Readings of a character beyond these are rare or literary (不 and 还 share a third one), and would make it sound like half the language.
const MOST_READINGS: usize = 2;

/// How near two characters are in sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alike {
    /// They share a syllable, whatever the tone.
    Equal,
    /// They share one as many speakers and recognisers confuse them: z/zh, c/ch, s/sh; n/l/r; f/hu; in/ing, en/eng, an/ang.
    Near,
}

/// A syllable, and what is left of it when the differences that get confused are taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Syllable {
    exact: &'static str,
    near: String,
}

/// The syllables of a character, the most common first; none for what is no Chinese character.
pub(super) fn syllables(c: char) -> Vec<Syllable> {
    let mut found: Vec<Syllable> = Vec::new();
    for reading in c.to_pinyin_multi().into_iter().flatten() {
        let exact = reading.plain();
        if found.len() < MOST_READINGS && found.iter().all(|s| s.exact != exact) {
            found.push(Syllable { exact, near: without_confusions(exact) });
        }
    }
    found
}

/// How alike two characters are by their syllables; `None` when no reading of one is near one of the other.
pub(super) fn alike(a: &[Syllable], b: &[Syllable]) -> Option<Alike> {
    let any = |same: fn(&Syllable, &Syllable) -> bool| a.iter().any(|x| b.iter().any(|y| same(x, y)));
    if any(|x, y| x.exact == y.exact) {
        Some(Alike::Equal)
    } else if any(|x, y| x.near == y.near) {
        Some(Alike::Near)
    } else {
        None
    }
}

/// One form for all syllables that are confused with each other.
fn without_confusions(syllable: &str) -> String {
    const INITIALS: &[(&str, &str)] = &[("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l")];
    const FINALS: &[(&str, &str)] = &[("ing", "in"), ("eng", "en"), ("ang", "an")];
    // hui and hun are written short for huei and huen.
    const WHOLE: &[(&str, &str)] = &[("hui", "fei"), ("hun", "fen"), ("hu", "fu")];
    let initial = INITIALS.iter().find_map(|(from, to)| syllable.strip_prefix(from).map(|rest| format!("{to}{rest}")));
    let mut folded = initial.unwrap_or_else(|| syllable.to_string());
    if let Some((_, to)) = WHOLE.iter().find(|(from, _)| *from == folded) {
        folded = (*to).to_string();
    } else if let Some(rest) = folded.strip_prefix("hu") {
        folded = format!("f{rest}");
    }
    if let Some((from, to)) = FINALS.iter().find(|(from, _)| folded.ends_with(from)) {
        folded.truncate(folded.len() - from.len());
        folded.push_str(to);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: char, b: char) -> Option<Alike> {
        alike(&syllables(a), &syllables(b))
    }

    #[test]
    fn tells_equal_from_near_sounds() {
        let equal = ['录', '路', '音', '因', '保', '报', '乐', '月', '还', '环', '女', '女'];
        for pair in equal.chunks(2) {
            assert_eq!(of(pair[0], pair[1]), Some(Alike::Equal), "{pair:?}");
        }
        let near = [
            '是', '四', '制', '字', '吃', '词', '牛', '流', '热', '乐', '音', '应', '门', '梦', '班', '帮', '先', '香',
            '关', '光', '回', '肥', '花', '发', '混', '份', '湖', '福', '女', '绿',
        ];
        for pair in near.chunks(2) {
            assert_eq!(of(pair[0], pair[1]), Some(Alike::Near), "{pair:?}");
        }
        for pair in [['贵', '好'], ['录', '像'], ['好', '否'], ['不', '还'], ['二', '热'], ['a', '啊']] {
            assert_eq!(of(pair[0], pair[1]), None, "{pair:?}");
        }
    }
}
