//! Which matchers and phrases of a scorecard find anything in one call, and why requirements are not applicable to it.

use super::{CallEvidence, Judge};
use crate::matching::CallText;
use crate::operator::Truth;
use crate::scorecard::{Compiled, Matcher, Pattern, Requirement, Scorecard, When};

/// What one requirement found in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementUse<'s> {
    pub requirement_id: &'s str,
    /// The key of the scorecard that makes it not applicable to this call, if one does.
    pub not_applicable: Option<&'static str>,
    pub matchers: Vec<MatcherUse<'s>>,
}

/// What one matcher found in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatcherUse<'s> {
    /// Its name; `except 1`, `except 2`, … for those that have none.
    pub name: String,
    pub found: bool,
    /// Phrases or patterns of the call's language that were said where the matcher looks.
    pub phrases: Vec<&'s str>,
}

/// Looks for every matcher and phrase. `skip` (requirement, matcher, phrase) leaves out phrases that need not be looked for.
pub fn uses<'s>(
    scorecard: &'s Scorecard,
    call: &CallEvidence,
    skip: &dyn Fn(&str, &str, &str) -> bool,
) -> Vec<RequirementUse<'s>> {
    let text = CallText::new(call.transcript);
    let judge = Judge::new(scorecard, call, &text);
    let of = |requirement: &'s Requirement| {
        let named = requirement.matchers.iter().map(|(name, matcher)| (name.clone(), matcher));
        let except = (1..).zip(&requirement.except).map(|(n, matcher)| (format!("except {n}"), matcher));
        let matchers = named.chain(except).map(|(name, matcher)| MatcherUse {
            found: judge.find(matcher).truth == Truth::True,
            phrases: judge.phrases_said(matcher, &|phrase| skip(&requirement.id, &name, phrase)),
            name,
        });
        RequirementUse {
            requirement_id: &requirement.id,
            matchers: matchers.collect(),
            not_applicable: judge.why_not_applicable(requirement),
        }
    };
    scorecard.requirements.iter().map(of).collect()
}

impl Judge<'_> {
    fn phrases_said<'s>(&self, matcher: &'s Matcher, skip: &dyn Fn(&str) -> bool) -> Vec<&'s str> {
        let (Some(phrases), Some(compiled)) = (matcher.pattern.phrases(), matcher.compiled.get(&self.language)) else {
            return Vec::new();
        };
        let turns = self.turns(matcher);
        let wanted =
            phrases.get(self.language).iter().map(String::as_str).enumerate().filter(|(_, phrase)| !skip(phrase));
        let said = wanted.filter(|(n, phrase)| match &matcher.pattern {
            Pattern::Regex(_) => {
                let Some(regex) = compiled.regexes.get(*n) else { return false };
                let not_regexes = compiled.not_regexes.clone();
                let one = Compiled { regexes: vec![regex.clone()], not_regexes, ..Compiled::default() };
                turns.iter().any(|turn| self.regex_hit(matcher, &one, *turn).is_some())
            }
            Pattern::Meaning { similarity_permille, .. } => {
                self.meaning(&[phrase.to_string()], similarity_permille, &turns).truth == Truth::True
            }
            _ => {
                let Some(id) = compiled.phrases.get(*n) else { return false };
                turns.iter().any(|turn| self.best_hit(matcher, compiled, &[*id], *turn).is_some())
            }
        });
        said.map(|(_, phrase)| phrase).collect()
    }

    fn why_not_applicable(&self, requirement: &Requirement) -> Option<&'static str> {
        if !self.speaks_language {
            return Some("language");
        }
        let found = requirement.matchers.iter().map(|(name, matcher)| (name.as_str(), self.find(matcher))).collect();
        let when = &requirement.when;
        if !self.applies(when, &found) {
            let parts = [
                ("when call_type", When { call_types: when.call_types.clone(), ..When::default() }),
                ("when campaign", When { campaigns: when.campaigns.clone(), ..When::default() }),
                ("when direction", When { directions: when.directions.clone(), ..When::default() }),
                ("when language", When { languages: when.languages.clone(), ..When::default() }),
                ("when medium", When { media: when.media.clone(), ..When::default() }),
                ("when duration_s", When { duration_ms: when.duration_ms, ..When::default() }),
                ("when expr", When { parsed: when.parsed.clone(), ..When::default() }),
            ];
            let fails = |(_, part): &&(&str, When)| !self.applies(part, &found);
            return Some(parts.iter().find(fails).map_or("when", |(key, _)| key));
        }
        if requirement.except.iter().any(|matcher| self.find(matcher).truth == Truth::True) {
            return Some("except");
        }
        let rule = requirement.rule.as_ref()?;
        let nothing = self.conclude(&rule.parsed, &found).truth == Truth::NotApplicable;
        nothing.then_some("nothing to look for (no phrases in the language, no times, or no value)")
    }
}
