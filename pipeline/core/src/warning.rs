//! What a reader of a record should know about its source: a closed list with stable codes. A record holds the English sentence, from which
//! the code and the values are read back, so that records of every age can be shown in every language.

/// Declares [`Warning`]: `Variant, "code", "English sentence with {} for each value";`
macro_rules! warnings {
    ($($variant:ident, $code:literal, $text:literal;)*) => {
        /// A remark about a call's source. The sentence of a variant never changes: stored records are read by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Warning {
            $(#[doc = $text] $variant,)*
        }

        impl Warning {
            pub const ALL: &'static [Warning] = &[$(Warning::$variant),*];

            /// The stable name of the warning in exports.
            pub fn code(self) -> &'static str {
                match self { $(Warning::$variant => $code,)* }
            }

            /// The English sentence; `{}` stands for a value.
            pub fn template(self) -> &'static str {
                match self { $(Warning::$variant => $text,)* }
            }
        }
    };
}

warnings! {
    // ---- recordings; of one of two recordings, the other warning is the value: first here, first read
    FirstSide, "first_side", "first side: {}";
    SecondSide, "second_side", "second side: {}";
    HeaderSaysZeroBytes, "header_says_zero_bytes", "the WAV header says 0 bytes of sound; the rest of the file was read";
    HeaderWithoutLength, "header_without_length",
        "the WAV header has no length (streamed recording); the rest of the file was read";
    HeaderPromisesBytes, "header_promises_bytes",
        "the WAV header promises {} bytes of sound but the file has {}; it was probably cut";
    HeaderSaysZeroBits, "header_says_zero_bits", "the WAV header says 0 bits per sample; {} were taken";
    HeaderPromisesMore, "header_promises_more", "the {} header promises more sound than the file has; it was probably cut";
    EndsInData, "ends_in_data", "the {} file ends in the middle of its data";
    SeveralStreams, "several_streams", "the {} file holds several streams; only the first was read";
    DamagedFrom, "damaged_from", "the {} file is damaged from {} ms on: {}";
    RateChangesOften, "rate_changes_often", "the sample rate changes again and again; what follows {} ms was left out";
    Joined, "joined", "the {} file goes on behind the end that its header tells; another was probably joined to it";
    DamagedPackets, "damaged_packets", "{} damaged packets were skipped";
    RateChanges, "rate_changes", "the sample rate changes within the file; all of it was brought to 16 kHz";
    LayoutChanges, "layout_changes", "the number of channels changes within the file; the first layout was kept";
    DamagedGsmFrames, "damaged_gsm_frames", "{} damaged GSM frames (20 ms each) were set to silence";
    EndsInGsmFrame, "ends_in_gsm_frame", "the file ends in the middle of a GSM frame; it was probably cut";
    StrayBytes, "stray_bytes", "{} bytes of the {} file that belong to no frame were skipped";
    EndsInFrame, "ends_in_frame", "the {} file ends in the middle of its last frame; it was probably cut";
    ReadByName, "read_by_name", "nothing in the file says what it is; by its name it was read as {}, one channel";
    SideOffsetHeard, "side_offset_heard",
        "one recording per side: the second begins {} ms after the first, by what one side hears of the other";
    SidesUnlikeInLength, "sides_unlike_in_length",
        "one recording per side, {} ms unlike in length: taken to begin together (metadata `offset_ms` says otherwise)";
    // ---- channels and roles
    Leaking, "leaking", "one channel can be heard in the other";
    SameSound, "same_sound", "both channels hold the same sound: treated as mono";
    MonoTwoSpeakers, "mono_two_speakers", "one channel: two speakers were told apart by their voices";
    MonoOneVoice, "mono_one_voice", "one channel: one voice, or voices too alike to tell apart";
    LanguageNotKnown, "language_not_known", "not transcribed: the recogniser does not know the call's language";
    ChannelsNotListenedTo, "channels_not_listened_to", "{} channels are in no role and were not listened to";
    ChannelsWithoutSpeech, "channels_without_speech", "{} channels without speech were left out";
    RolesSwapped, "roles_swapped", "rep and customer may be swapped: what is said contradicts the channel map";
    // ---- texts
    CuesThatEndEarly, "cues_that_end_early", "{} cues that end before they begin: their length is taken as 0";
    CuesOfSeveral, "cues_of_several", "{} cues with several speakers: their time is divided in proportion to the text";
    LengthThatCannotBe, "length_that_cannot_be", "{} length of the call that cannot be: the end of the last turn is taken";
    TimesMissing, "times_missing",
        "{} turns with a time that is missing or no whole number: the call is read without times";
    WordsThatCannotBe, "words_that_cannot_be",
        "{} words with times or confidences that cannot be: they are left out of the word list";
    SpeakersNotNamed, "speakers_not_named", "{} turns without a speaker named as rep or customer";
    // ---- the store
    WordsPurged, "words_purged", "its words were purged; scores and times are kept";
}

impl Warning {
    /// The English sentence with its values, as a record holds it.
    pub fn with(self, values: &[&dyn std::fmt::Display]) -> String {
        let mut parts = self.template().split("{}");
        let mut text = parts.next().unwrap_or_default().to_string();
        for (part, value) in parts.zip(values) {
            text.push_str(&value.to_string());
            text.push_str(part);
        }
        text
    }

    /// The warning and the values that a sentence was made of; `None`: not one that this version knows.
    pub fn read(text: &str) -> Option<(Warning, Vec<&str>)> {
        Warning::ALL.iter().find_map(|warning| Some((*warning, warning.values(text)?)))
    }

    fn values(self, text: &str) -> Option<Vec<&str>> {
        let (first, rest) = self.template().split_once("{}").unwrap_or((self.template(), ""));
        let mut left = text.strip_prefix(first)?;
        let mut values = Vec::new();
        let literals: Vec<&str> = if first == self.template() { vec![] } else { rest.split("{}").collect() };
        for (i, literal) in literals.iter().enumerate() {
            let is_last = i + 1 == literals.len();
            let end = if is_last { left.strip_suffix(literal)?.len() } else { left.find(literal)? };
            values.push(&left[..end]);
            left = &left[end + literal.len()..];
        }
        left.is_empty().then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_read_back() {
        let values: [&dyn std::fmt::Display; 3] = [&"RIFF WAVE", &17, &"unexpected end: of file"];
        for warning in Warning::ALL {
            let text = warning.with(&values);
            assert!(!text.contains("{}"), "{text}");
            let count = warning.template().matches("{}").count();
            let shown: Vec<String> = values[..count].iter().map(ToString::to_string).collect();
            let (read, found) = Warning::read(&text).unwrap();
            assert_eq!((read, found), (*warning, shown.iter().map(String::as_str).collect()), "{text}");
        }
        assert_eq!(Warning::read("something else"), None);
        assert_eq!(Warning::read("3 damaged packets were skipped, twice"), None);
        let side = Warning::FirstSide.with(&[&Warning::DamagedPackets.with(&[&3])]);
        assert_eq!(Warning::read(&side), Some((Warning::FirstSide, vec!["3 damaged packets were skipped"])));
    }

    #[test]
    fn codes_are_unique() {
        let codes: std::collections::BTreeSet<&str> = Warning::ALL.iter().map(|w| w.code()).collect();
        assert_eq!(codes.len(), Warning::ALL.len());
    }
}
