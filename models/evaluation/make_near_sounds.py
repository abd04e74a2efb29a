#!/usr/bin/env python3
"""Tables of what recognisers take for one another by sound, for pipeline/core/src/recogniser_noise.rs.

English: phonemes by espeak-ng (en-us) of the starter's words and of words in transcribed speech; near are the words at the
smallest edit distance of phonemes (at most two fifths of them).
Chinese: the characters of GB 2312 level 1, syllables by ICU's Han-Latin transliteration (uconv; data of CLDR), which is not
the table of the matcher; near are the same syllable in any tone, then one confusion of the list below.
Rows and what stands in them are ordered by frequency in the data sets: recognisers prefer frequent words.

    models/evaluation/make_near_sounds.py --shared ../shared     # needs espeak-ng, uconv, rapidfuzz
"""

import argparse
import collections
import gzip
import json
import pathlib
import re
import subprocess
import unicodedata

import rapidfuzz

MOST = 6  # candidates per word or character
TARGET = pathlib.Path(__file__).resolve().parents[2] / "pipeline/core/src/recogniser_noise"
ENGLISH_SETS = ["multidogo", "abcd", "harper_valley_sample", "natcs_dstc11_intents", "ms_ckm_transcripts", "nlupp", "banking77"]
SPEECH_SETS = ["harper_valley_sample", "natcs_dstc11_intents", "ms_ckm_transcripts"]
CHINESE_SETS = ["crosswoz_zh", "cped_zh_dialogue", "asap_zh_reviews_sample"]
# The same word to whoever counts errors.
SAME = {("ok", "okay"), ("okay", "ok"), ("alright", "right")}
TEXT_KEYS = {"text", "human", "utterance", "utt_text"}
# What Mandarin speakers and recognisers confuse: retroflex and plain, l/n/r, f/h, front and back nasals.
INITIALS = [("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("l", "r"), ("f", "h"), ("b", "p"), ("d", "t"), ("g", "k"), ("j", "q")]
FINALS = [("an", "ang"), ("en", "eng"), ("in", "ing"), ("ian", "iang"), ("uan", "uang"), ("un", "ong"), ("uo", "o"), ("e", "uo")]


def texts(value, key=""):
    """All spoken texts of a JSON value; ABCD's turns are pairs (speaker, text)."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        if key == "original" and len(value) == 2 and all(isinstance(v, str) for v in value):
            if value[0] != "action":
                yield value[1]
            return
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str) and key in TEXT_KEYS:
        yield value


def read(shared, sets):
    for name in sets:
        for path in sorted((shared / "data/text" / name).iterdir()):
            if not re.search(r"\.jsonl?(\.gz)?$", path.name):
                continue
            opened = gzip.open(path, "rt", encoding="utf8") if path.suffix == ".gz" else path.open(encoding="utf8")
            with opened as lines:
                documents = map(json.loads, lines) if ".jsonl" in path.name else [json.load(lines)]
                for document in documents:
                    yield from texts(document)


def phonemes_of(words):
    """Phonemes without stress and length, one list per word."""
    command = ["espeak-ng", "-v", "en-us", "-x", "-q", "--sep=_"]
    spoken = subprocess.run(command, input="\n".join(words), text=True, capture_output=True, check=True).stdout
    lines = [line.strip() for line in spoken.splitlines() if line.strip()]
    assert len(lines) == len(words), (len(lines), len(words))
    plain = lambda phoneme: re.sub(r"[',:;#|%=-]", "", phoneme)
    return [tuple(p for p in map(plain, line.replace(" ", "_").split("_")) if p) for line in lines]


def english(shared):
    counts, spoken_counts = collections.Counter(), collections.Counter()
    for sets, counter in ((ENGLISH_SETS, counts), (SPEECH_SETS, spoken_counts)):
        for text in read(shared, sets):
            counter.update(re.findall(r"(?<![a-z'’])[a-z]+(?![a-z'’])", text.lower()))
    known = {w for w in (shared / "starter/words.txt").read_text().split() if re.fullmatch("[a-z]+", w)}
    # Chats are full of typing errors: words count when they are in the starter's list or were transcribed from speech.
    words = [w for w in known | {w for w, n in spoken_counts.items() if n >= 3} if len(w) > 1 or w in "ai"]
    words.sort(key=lambda w: (-counts[w], w))
    spoken = phonemes_of(words)
    alphabet = {p: chr(0x100 + i) for i, p in enumerate(sorted({p for phonemes in spoken for p in phonemes}))}
    encoded = ["".join(alphabet[p] for p in phonemes) for phonemes in spoken]
    distances = rapidfuzz.process.cdist(encoded, encoded, scorer=rapidfuzz.distance.Levenshtein.distance)
    rows = []
    for i, word in enumerate(words):
        most = max(1, len(encoded[i]) * 2 // 5)
        near = [(int(d), j) for j, d in enumerate(distances[i]) if d <= most and j != i and (word, words[j]) not in SAME]
        near = [words[j] for _, j in sorted(near)[:MOST]]
        if near:
            rows.append((word, near))
    return rows, len(words)


def syllables_of(characters):
    command = ["uconv", "-f", "utf8", "-t", "utf8", "-x", "Han-Latin"]
    spoken = subprocess.run(command, input="\n".join(characters), text=True, capture_output=True, check=True).stdout.splitlines()
    assert len(spoken) == len(characters)
    tones = dict.fromkeys(map(ord, "\u0300\u0301\u0304\u030c"))
    return [unicodedata.normalize("NFC", unicodedata.normalize("NFD", s.strip()).translate(tones)) for s in spoken]


def neighbours(syllable):
    """Syllables one confusion away."""
    match = re.match(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)$", syllable)
    initial, final = match.groups()
    found = []
    for a, b in INITIALS:
        found += [b + final] if initial == a else [a + final] if initial == b else []
    for a, b in FINALS:
        found += [initial + b] if final == a else [initial + a] if final == b else []
    return found


def chinese(shared):
    counts = collections.Counter()
    for text in read(shared, CHINESE_SETS):
        counts.update(text)
    level_1 = [bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) if (high, low) <= (0xD7, 0xF9)]
    characters = sorted(level_1, key=lambda c: (-counts[c], c))
    syllables = dict(zip(characters, syllables_of(characters)))
    by_syllable = collections.defaultdict(list)
    for c in characters:
        by_syllable[syllables[c]].append(c)
    rows = []
    for c in characters:
        same = [other for other in by_syllable[syllables[c]] if other != c]
        near = [other for s in neighbours(syllables[c]) for other in by_syllable.get(s, [])[:3]]
        near.sort(key=lambda other: -counts[other])
        kept = same[: MOST - 2] + near
        if kept:
            rows.append((c, kept[:MOST]))
    return rows, len(characters)


def write(name, about, rows, count):
    head = f"# Made by models/evaluation/make_near_sounds.py; {about}; {len(rows)} of {count} have any.\n"
    (TARGET / name).write_text(head + "".join(f"{unit}\t{' '.join(near)}\n" for unit, near in rows), encoding="utf8")
    print(f"{name}: {len(rows)} rows, {sum(len(n) for _, n in rows) / len(rows):.1f} candidates each")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shared", type=pathlib.Path, required=True, help="the folder with data/ and starter/")
    shared = arguments.parse_args().shared
    write("near_sounds_en.tsv", "words by frequency, each with words that sound like it (espeak-ng en-us)", *english(shared))
    write("near_sounds_zh.tsv", "characters of GB 2312 level 1 by frequency, each with characters that sound like it (ICU Han-Latin)", *chinese(shared))


if __name__ == "__main__":
    main()
