"""Writes the sentences to train on: W/text.jsonl, W/text_test.jsonl (held out), W/tokens.json, W/lexicon.txt.

  corpus.py --work-dir W [--real FOLDER] [--sentences 44000] [--seed 2]

Three sources: the templates (text/), sentences of real customer service that use the templates' words only (--real: a
folder with the sets named in MODEL_CARD.md; left out without it), and salad: pieces of sentences and random words, so
that the decoder cannot recite."""

import argparse
import collections
import gzip
import itertools
import json
import pathlib
import random
import re
from typing import Iterator

from grammar import SPOKEN_TITLES, Grammar, SaidWord, Sentence, written
from held_out import is_held_out_sentence, sentence_key
from tokens import Tokens

CALL_SHARE, OLD_SHARE, SALAD_SHARE = 0.60, 0.25, 0.15
REAL_LIMIT = 4000

# Spellings of chat and transcripts; None: the sentence is left out.
SPELLINGS = {
    "dont": "don't", "cant": "can't", "im": "I'm", "ive": "I've", "didnt": "didn't", "doesnt": "doesn't", "isnt": "isn't",
    "thats": "that's", "whats": "what's", "wont": "won't", "id": "ID", "i": "I", "pls": "please", "thx": "thanks", "u": "you",
    "ok": "okay", "i'm": "I'm", "i've": "I've", "i'd": "I'd", "i'll": "I'll", "atm": "ATM", "usa": "USA", "uk": "UK",
    "sms": None, "ssn": None, "eur": None, "usd": None, "gbp": None, "vin": None,
}  # fmt: skip
QUESTION_WORDS = """what how when where why who which can could do does did is are was will would should may have
    has""".split()
NAME_SLOTS = ("first", "last", "city", "month", "day", "company", "street")
# Parts of names that are ordinary words too: they keep their small letter.
ORDINARY_WORDS = set(
    """may mark will bill grant white long black brown price hill green rose grace young wood miss road street gray king
    hunter bank insurance home national family card services mobile energy financial health security travel credit medical
    center support delivery hotels hotel resort savings warranty telecom first new las star city power main park lake view
    station forest drive lane spring avenue second river oak church mill high cross pine elm cedar maple rice cook baker
    porter mason fisher walker parker turner cooper carter marshall west march august frank jack rapid capital bright
    trusted golden eagle silver blue sky clear water green valley grand plaza ocean liberty summit harbor union united
    parcel crown tree lakeside evergreen auto state wireless metro broadband pioneer sunrise""".split()
)


def spoken_words(sentence: Sentence) -> list[str]:
    return [word.strip(",.?!").lower() for said in sentence for word in said.spoken.split()]


class Corpus:
    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.grammar = Grammar(self.rng)
        self.sentences: dict[str, tuple[Sentence, str]] = {}  # by key, so that none comes twice
        self.counts: collections.Counter[str] = collections.Counter()

    def add(self, sentence: Sentence, source: str) -> bool:
        key = sentence_key(written(sentence))
        if not key or key in self.sentences:
            return False
        self.sentences[key] = sentence, source
        self.counts.update(spoken_words(sentence))
        return True

    def add_templates(self, source: str, draws: int):
        sections = [self.grammar.templates[name] for name in self.grammar.templates if name.startswith(source)]
        templates = [template for section in sections for template in section]
        for _ in range(draws):
            sentence = self.grammar.sentence(self.rng.choice(templates))
            if sentence:
                self.add(sentence, source)

    def add_real(self, folder: pathlib.Path):
        lexicon, names = set(self.counts), self._names()
        found = [words for text in real_sentences(folder) if (words := clean(text, names))]
        self.rng.shuffle(found)
        added = 0
        for words in found:
            if added < REAL_LIMIT and all(word.strip(",.?!").lower() in lexicon for word in words):
                added += self.add([SaidWord(word, word) for word in words], "real")

    def _names(self) -> dict[str, str]:
        words = [word for slot in NAME_SLOTS for name in self.grammar.slots[slot] for word in name.split()]
        return {word.lower(): word for word in words if word.isalpha() and word.lower() not in ORDINARY_WORDS}

    def add_salad(self, wanted: int):
        pool = [sentence for sentence, _ in self.sentences.values()]
        words = sorted(word for word in self.counts if len(word) > 1 and re.fullmatch(r"[a-z']+", word))
        weights = list(itertools.accumulate((self.counts[word] + 3) ** 0.35 for word in words))
        spelling = self._usual_spelling(pool)
        initial = {sentence[0].written.strip(",.?!") for sentence in pool}
        added = 0
        while added < wanted:
            salad, length, only_words = [], self.rng.randint(3, 13), self.rng.random() < 0.45
            while len(salad) < length:
                if only_words or self.rng.random() < 0.2:
                    word = self.rng.choices(words, cum_weights=weights)[0]
                    salad.append(SaidWord(spelling.get(word, word), spelling.get(word, word)))
                else:
                    sentence, count = self.rng.choice(pool), self.rng.randint(1, 4)
                    first = self.rng.randrange(len(sentence))
                    salad += [_without_stop(word) for word in sentence[first : first + count]]
            salad = [word for word in salad if word.written and word.spoken.split()]
            if not 3 <= len(salad) <= 16 or sum(len(word.spoken.split()) for word in salad) > 26:
                continue
            capital = salad[0].written[0].upper() + salad[0].written[1:]
            if capital in initial:  # capitals that occur anyway: the tokens stay few
                salad[0] = salad[0]._replace(written=capital)
            if salad[-1].written not in SPOKEN_TITLES:
                salad[-1] = SaidWord(salad[-1].written + ".", salad[-1].spoken + ".")
            added += self.add(salad, "salad")

    def _usual_spelling(self, pool: list[Sentence]) -> dict[str, str]:
        spelling: dict[str, str] = {}
        for sentence in pool:
            for said in sentence[1:]:
                word = said.written.strip(",.?!")
                if word.isalpha() and (word.islower() or word.lower() not in spelling):
                    spelling[word.lower()] = word
        return spelling

    def write(self, work: pathlib.Path):
        tokens = Tokens(work / "assets")
        items, used = list(self.sentences.values()), set()
        self.rng.shuffle(items)
        held_out = 0
        with open(work / "text.jsonl", "w") as train, open(work / "text_test.jsonl", "w") as test:
            for sentence, source in items:
                used.update(token for word in sentence for token in tokens.encode_word(word.written))
                is_test = is_held_out_sentence(written(sentence))
                held_out += is_test
                (test if is_test else train).write(json.dumps(dict(c=sentence, src=source)) + "\n")
        (work / "tokens.json").write_text(json.dumps(sorted(used)))
        (work / "lexicon.txt").write_text("".join(f"{word}\n" for word in sorted(self.counts)))
        sources = dict(collections.Counter(source for _, source in items))
        print(f"{len(items)} sentences {sources}, {held_out} held out, {len(self.counts)} words, {len(used)} tokens")


def _without_stop(word: SaidWord) -> SaidWord:
    return word if word.written in SPOKEN_TITLES else SaidWord(word.written.rstrip(",.?!"), word.spoken.rstrip(",.?!"))


def clean(text: str, names: dict[str, str]) -> list[str] | None:
    """Words with case and punctuation; None for a sentence that is not plain."""
    text = text.replace("\u2019", "'").replace("\u2026", ".").strip().strip('"').strip()
    if not text or re.search(r"[^A-Za-z' ,.?!\-]", text):
        return None
    text = re.sub(r"\s*-\s*", " ", text)
    text = re.sub(r"\s+([,.?!])", r"\1", text)
    text = re.sub(r"([,.?!])[,.?!]+", r"\1", text)
    words = re.sub(r"([,.?!])(?=[A-Za-z])", r"\1 ", text).split()
    if not 2 <= len(words) <= 22:
        return None
    out = []
    for index, word in enumerate(words):
        match = re.fullmatch(r"([A-Za-z][A-Za-z']*)([,.?!]?)", word)
        if not match:
            return None
        core, stop = match[1].lower(), match[2]
        core = SPELLINGS.get(core, names.get(core, core))
        if core is None:
            return None
        out.append(core + ("," if stop == "." and index < len(words) - 1 else stop))
    out[0] = out[0][0].upper() + out[0][1:]
    if out[-1][-1] not in ".?!":
        out[-1] = out[-1].rstrip(",") + ("?" if out[0].lower() in QUESTION_WORDS else ".")
    return out


def real_sentences(folder: pathlib.Path) -> Iterator[str]:
    """Sentences of the sets under shared/data/text; each set's licence is in its SOURCE.txt."""

    def entries(pattern: str) -> Iterator[dict]:
        for path in sorted(folder.glob(pattern)):
            with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
                yield from (json.loads(line) for line in lines if line.strip())

    def split(text: str) -> list[str]:
        return re.split(r"(?<=[.?!])\s+|\n", text)

    for pattern in ("multidogo/*.jsonl.gz", "banking77/banking77.jsonl.gz", "nlupp/*.jsonl"):
        for entry in entries(pattern):
            yield from split(entry["text"])
    for entry in entries("natcs_dstc11_intents/*.jsonl"):
        yield from split(entry["utterance"])
    for entry in entries("ms_ckm_transcripts/calls.jsonl.gz"):
        yield from split(re.sub(r"(Agent|Customer|Speaker \d):", " ", entry["text"]))
    for entry in entries("harper_valley_sample/calls.jsonl"):
        yield from (segment.get("human") or "" for segment in entry["segments"])
    for call in json.loads((folder / "abcd/abcd_sample.json").read_text()):
        for role, text in call["original"]:
            if role != "action":
                yield from split(text)
    for name in ("required_en", "forbidden_en"):
        phrases = json.loads((folder / f"compliance_seed_phrases/{name}.json").read_text())
        yield from (phrase for group in phrases.values() for phrase in group if "{" not in phrase)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", required=True, type=pathlib.Path)
    parser.add_argument("--real", type=pathlib.Path)
    parser.add_argument("--sentences", type=int, default=44_000, help="draws; repeated sentences count once")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    corpus = Corpus(options.seed)
    corpus.add_templates("call", int(options.sentences * CALL_SHARE))
    corpus.add_templates("old", int(options.sentences * OLD_SHARE))
    if options.real:
        corpus.add_real(options.real)
    corpus.add_salad(int(options.sentences * SALAD_SHARE))
    corpus.write(options.work_dir)


if __name__ == "__main__":
    main()
