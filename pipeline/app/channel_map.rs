//! Which channel of a recording carries whom: `rep=0,customer=1,ivr=2`, or `auto`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use callmark_core::transcript::Role;
use serde::{Deserialize, Serialize};

/// As many channels as a recording may have (`callmark_audio::Limits`).
const MAX_CHANNELS: usize = 8;

/// What the map says about one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelUse {
    /// In no role, and reported so.
    Unnamed,
    /// Left out on purpose.
    Ignored,
    Carries(Role),
}

/// Which channel of a recording carries whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelMap {
    /// Inferred from what is said.
    #[default]
    Auto,
    /// One rep and one customer among them; the other roles may be on several channels.
    Fixed([ChannelUse; MAX_CHANNELS]),
}

impl ChannelMap {
    /// A map with nothing but the two sides. Both below [`MAX_CHANNELS`].
    pub fn sides(rep: usize, customer: usize) -> ChannelMap {
        let mut uses = [ChannelUse::Unnamed; MAX_CHANNELS];
        uses[rep] = ChannelUse::Carries(Role::Rep);
        uses[customer] = ChannelUse::Carries(Role::Customer);
        ChannelMap::Fixed(uses)
    }

    /// Reads `auto` or `rep=0,customer=1`, with `ivr`, `supervisor`, `transfer_target` (or `transfer`) and `ignore` for further channels.
    pub fn parse(text: &str) -> Result<ChannelMap> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(ChannelMap::Auto);
        }
        let hint =
            "write `rep=0,customer=1` (channels count from 0; also ivr, supervisor, transfer_target, ignore) or `auto`";
        let mut uses = [ChannelUse::Unnamed; MAX_CHANNELS];
        for part in text.split(',') {
            let (word, index) = part.split_once('=').unwrap_or((part, ""));
            let (Some(named), Ok(index)) = (named(word.trim()), index.trim().parse::<usize>()) else {
                bail!("`{text}` is not a channel map\nhint: {hint}");
            };
            match uses.get_mut(index) {
                Some(free @ ChannelUse::Unnamed) => *free = named,
                Some(_) => bail!("`{text}` names channel {index} twice\nhint: {hint}"),
                None => bail!("`{text}` is not a channel map: the last channel is {}\nhint: {hint}", MAX_CHANNELS - 1),
            }
        }
        let once = |role| uses.iter().filter(|u| **u == ChannelUse::Carries(role)).count() == 1;
        if !once(Role::Rep) || !once(Role::Customer) {
            bail!("`{text}` must give rep and customer one channel each\nhint: {hint}");
        }
        Ok(ChannelMap::Fixed(uses))
    }

    /// The canonical text, for hashing: rep and customer first, the others by channel.
    pub fn key(self) -> String {
        let ChannelMap::Fixed(uses) = self else { return "auto".into() };
        let mut parts: BTreeMap<(u8, usize), String> = BTreeMap::new();
        for (index, channel) in uses.into_iter().enumerate() {
            let (rank, word) = match channel {
                ChannelUse::Unnamed => continue,
                ChannelUse::Carries(Role::Rep) => (0, "rep"),
                ChannelUse::Carries(Role::Customer) => (1, "customer"),
                ChannelUse::Carries(role) => (2, role.name()),
                ChannelUse::Ignored => (2, "ignore"),
            };
            parts.insert((rank, index), format!("{word}={index}"));
        }
        parts.into_values().collect::<Vec<_>>().join(",")
    }
}

fn named(word: &str) -> Option<ChannelUse> {
    Some(match word {
        "rep" => ChannelUse::Carries(Role::Rep),
        "customer" => ChannelUse::Carries(Role::Customer),
        "ivr" => ChannelUse::Carries(Role::Ivr),
        "supervisor" => ChannelUse::Carries(Role::Supervisor),
        "transfer_target" | "transfer" => ChannelUse::Carries(Role::TransferTarget),
        "ignore" => ChannelUse::Ignored,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_maps() {
        assert_eq!(ChannelMap::parse("customer=0, rep=1").unwrap(), ChannelMap::sides(1, 0));
        assert_eq!(ChannelMap::parse("AUTO").unwrap(), ChannelMap::Auto);
        for bad in [
            "",
            "rep=0",
            "rep=1,customer=1",
            "agent=0,customer=1",
            "rep=-1,customer=0",
            "rep=0,customer=1,ivr=8",
            "rep=0,customer=1,rep=2",
            "rep=0,customer=1,ivr=1",
            "rep=0,customer=1,boss=2",
        ] {
            assert!(ChannelMap::parse(bad).unwrap_err().to_string().contains("hint:"), "{bad}");
        }
    }

    /// Stored transcripts are found under the key: that of two channels must stay what it was.
    #[test]
    fn a_key_is_the_map_in_one_order() {
        for (map, key) in [
            ("auto", "auto"),
            ("customer=0,rep=1", "rep=1,customer=0"),
            ("transfer=4,ignore=2,ivr=3,customer=0,rep=1", "rep=1,customer=0,ignore=2,ivr=3,transfer_target=4"),
        ] {
            let map = ChannelMap::parse(map).unwrap();
            assert_eq!(map.key(), key);
            assert_eq!(ChannelMap::parse(key).unwrap(), map);
        }
    }
}
