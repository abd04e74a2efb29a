//! No word of any transcript in what the program says of itself: output, logs at the chattiest level, metrics, messages.

use std::collections::BTreeSet;

use crate::night::{night, planted};

/// Words that the program's own messages may have in a row with a call's words: shorter runs are chance.
const RUN: usize = 4;

fn words(text: &str) -> Vec<String> {
    let letters = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    letters.filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// Runs of words; Chinese, which writes no spaces, by its characters.
fn runs(text: &str) -> BTreeSet<String> {
    let han: Vec<String> = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).map(String::from).collect();
    let both = [words(text), han];
    both.iter().flat_map(|list| list.windows(RUN).map(|run| run.join(" "))).collect()
}

#[test]
fn a_night_leaves_no_word_outside_its_results() {
    let night = night();
    // What was planted to be found: a word that is in one file alone, also in files that could not be read.
    let rare: Vec<String> =
        planted(&night.folder).into_iter().map(|row| row["rare_word"].clone()).filter(|w| !w.is_empty()).collect();
    assert!(rare.len() > 280, "{}", rare.len());
    // What was said, also in the audio calls.
    let turns = night.place.table("turns.csv");
    let said: BTreeSet<String> = turns.iter().flat_map(|turn| runs(&turn["text"])).collect();
    assert!(said.len() > 5_000, "{}", said.len());
    assert!(
        turns.iter().any(|turn| turn["text"].to_lowercase().contains(&rare[0])),
        "the words are in the transcripts"
    );
    assert!(night.heard["stderr"].matches("INFO").count() > 100, "the log tells of every call");
    // Not even letter by letter, as a tokenizer's own log would tell it.
    assert!(night.heard.values().all(|text| !text.contains("tokenizer")));
    for (place, text) in &night.heard {
        let lower = text.to_lowercase();
        let leaked: Vec<&String> = rare.iter().filter(|word| lower.contains(word.as_str())).collect();
        assert!(leaked.is_empty(), "{} planted words are in {place}", leaked.len());
        let leaked: Vec<String> = runs(text).intersection(&said).cloned().collect();
        assert!(leaked.is_empty(), "{place} has what was said: {leaked:?}");
    }
}
