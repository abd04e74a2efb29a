//! Configuration file: how the site works. Flags say what this run does.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use callmark_core::recording::{Direction, Language, Metadata};
use serde::Deserialize;

use crate::call::ChannelMap;

/// The commented default; also the documentation of every key.
pub const DEFAULT: &str = include_str!("default-config.toml");

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    channels: Option<String>,
    model: Option<String>,
    vocabulary: Option<String>,
    max_minutes: Option<u32>,
    #[serde(default)]
    route: Vec<Route>,
}

/// One line of the table that says which scorecard a call gets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub campaign: Option<Vec<String>>,
    pub call_type: Option<Vec<String>>,
    pub direction: Option<Vec<Direction>>,
    pub language: Option<Vec<Language>>,
    pub scorecard: String,
}

impl Route {
    /// True when every condition of the route holds for the call.
    pub fn matches(&self, metadata: &Metadata, language: Option<Language>) -> bool {
        let among = |list: &Option<Vec<String>>, value: &Option<String>| match list {
            None => true,
            Some(list) => value.as_ref().is_some_and(|v| list.iter().any(|l| l.eq_ignore_ascii_case(v))),
        };
        among(&self.campaign, &metadata.campaign)
            && among(&self.call_type, &metadata.call_type)
            && self.direction.as_ref().is_none_or(|l| metadata.direction.is_some_and(|d| l.contains(&d)))
            && self.language.as_ref().is_none_or(|l| language.is_some_and(|d| l.contains(&d)))
    }
}

/// The merged configuration of one start.
#[derive(Debug, Clone)]
pub struct Config {
    pub channels: ChannelMap,
    pub model: Option<String>,
    pub vocabulary: Option<String>,
    pub max_duration_s: u32,
    pub routes: Vec<Route>,
    /// Where relative scorecard paths start.
    pub folder: PathBuf,
}

impl Config {
    /// Reads the given file, or `./callmark.toml`, or the user's configuration, over the built-in defaults.
    pub fn load(explicit: Option<&Path>) -> Result<Config> {
        let candidates = || {
            let user = user_folder("XDG_CONFIG_HOME", ".config").map(|d| d.join("callmark/config.toml"));
            [Some(PathBuf::from("callmark.toml")), user].into_iter().flatten().find(|p| p.is_file())
        };
        let path = explicit.map(Path::to_path_buf).or_else(candidates);
        let base = parse(DEFAULT).context("the built-in configuration is damaged")?;
        let Some(path) = path else { return Config::merge(base, None, PathBuf::from(".")) };
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        let file = parse(&text).with_context(|| format!("in the configuration {}", path.display()))?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
        Config::merge(base, Some(file), folder)
    }

    fn merge(base: File, over: Option<File>, folder: PathBuf) -> Result<Config> {
        let over =
            over.unwrap_or(File { channels: None, model: None, vocabulary: None, max_minutes: None, route: vec![] });
        let text = |value: Option<String>| value.filter(|v| !v.trim().is_empty());
        let channels = over.channels.or(base.channels).unwrap_or_default();
        let max_minutes = over.max_minutes.or(base.max_minutes).unwrap_or(240);
        if !(1..=24 * 60).contains(&max_minutes) {
            bail!("max_minutes must lie between 1 and 1440, not {max_minutes}");
        }
        Ok(Config {
            channels: ChannelMap::parse(&channels)?,
            model: text(over.model).or(text(base.model)),
            vocabulary: text(over.vocabulary).or(text(base.vocabulary)),
            max_duration_s: max_minutes * 60,
            routes: if over.route.is_empty() { base.route } else { over.route },
            folder,
        })
    }

    /// Everything in the configuration that can change a transcript, in one line for hashing.
    pub fn transcription_key(&self) -> String {
        format!("vocabulary={}", self.vocabulary.as_deref().unwrap_or(""))
    }
}

fn parse(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|error| anyhow::anyhow!("{}", error.to_string().trim_end()))
}

/// `$VARIABLE`, else `$HOME/<fallback>`.
pub fn user_folder(variable: &str, fallback: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    set.or_else(|| std::env::var_os("HOME").filter(|v| !v.is_empty()).map(|home| PathBuf::from(home).join(fallback)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_pick_the_first_that_holds() {
        let config = Config::merge(parse(DEFAULT).unwrap(), None, PathBuf::from(".")).unwrap();
        let route = |call_type: Option<&str>, direction| {
            let metadata = Metadata { call_type: call_type.map(Into::into), direction, ..Metadata::default() };
            config.routes.iter().find(|r| r.matches(&metadata, Some(Language::En))).map(|r| r.scorecard.clone())
        };
        assert_eq!(route(Some("Sales"), None).as_deref(), Some("telesales"));
        assert_eq!(route(Some("support"), Some(Direction::Outbound)).as_deref(), Some("support"));
        assert_eq!(route(None, Some(Direction::Outbound)).as_deref(), Some("telesales"));
        assert_eq!(route(None, None).as_deref(), Some("support"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = parse("chanels = \"auto\"").unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("chanels"), "{error}");
    }
}
