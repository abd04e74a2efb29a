//! Content words: what a text is about, in a form that can be looked for in another text.

use std::collections::BTreeSet;

use super::lexeme::{CONTENT, Lexeme};
use super::tokens::tokenize;
use crate::recording::{Language, is_han};

/// The distinct content words of a text: English words without their regular endings; of Chinese, where single characters occur in anything,
/// pairs of neighbouring content characters (the usual index unit where words are not parted). Function words, fillers, negations and
/// placeholders of redaction are none.
pub fn content_words(text: &str, language: Language) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut before: Option<(String, usize)> = None;
    for token in tokenize(text, language) {
        let lexeme = Lexeme::new(&token.text);
        if lexeme.weight != CONTENT || token.text.starts_with('[') {
            before = None;
            continue;
        }
        if !token.text.chars().all(is_han) {
            words.insert(lexeme.stem);
            before = None;
            continue;
        }
        // A comma parts what does not belong together.
        if let Some((first, _)) = before.filter(|(_, end)| *end == token.begin) {
            words.insert(format!("{first}{}", token.text));
        }
        before = Some((token.text, token.end));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, language: Language) -> Vec<String> {
        content_words(text, language).into_iter().collect()
    }

    #[test]
    fn endings_and_function_words_do_not_count() {
        let said = words("I am not sure about the migrations, [card]", Language::En);
        assert_eq!(said, ["about", "migration", "sure"]);
        assert_eq!(words("Migrating migration", Language::En), ["migrat", "migration"]);
        assert_eq!(words("", Language::En), [""; 0]);
    }

    #[test]
    fn chinese_goes_by_pairs_inside_a_clause() {
        // 的 is a function word, the comma parts: neither 移数 nor 失停 is a pair.
        assert_eq!(words("数据迁移的数据丢失，停机", Language::Zh), ["丢失", "停机", "据丢", "据迁", "数据", "迁移"]);
    }
}
