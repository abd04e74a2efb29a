#!/usr/bin/env python3
"""Makes the labelled sets of synthetic recordings that the starter model is measured on.

  make_speech_sets.py --out DIR [--sets known-voices,calls] [--sentences F.jsonl] [--trained F.txt.gz] [--seed 5]

A set is a folder with NAME.wav (8 kHz, 16 bit, through µ-law) and NAME.reference.json: language, and turns with role,
channel, voice, times, text and the synthesiser's own word times. The same seed makes the same sets with the same versions
of espeak-ng, flite and festival. Sentences are drawn from the templates of models/training/starter and kept when they are
held out of every training (held_out.py); --sentences adds held-out sentences of real customer service, --trained makes
sure that none was trained on. `people` cuts real recordings (--people FOLDER) into pieces of a minute, without references.
Needs the training's requirements.txt, libespeak-ng1, flite1-dev, festival, gcc, ffmpeg."""

import argparse
import gzip
import json
import pathlib
import random
import sys

import numpy as np
import scipy.io.wavfile
from scipy.signal import resample_poly

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "training" / "starter"))

import channel
import people
import sounds
from grammar import Grammar, SaidWord, Sentence, written
from held_out import ESPEAK_HELD_OUT, is_held_out_sentence, sentence_key
from voices import Speaker, Speech, random_speaker, speak

RATE = channel.TELEPHONE_RATE
# Voices that the first edition was trained on, so that both editions know them.
KNOWN_ESPEAK = (
    "m1 m3 m4 m7 f1 f2 f5 klatt Andrea Gene Lee Michael Mike adam belinda david edward john steph travis".split()
)
KNOWN_FLITE = ["slt", "awb", "kal16"]
ACCENTS = ["en-us"] * 7 + ["en"] * 2 + ["en-us-nyc"]
SENTENCES_PER_RECORDING = 9
# Sections of a call, in its course; the second of a pair answers the first.
COURSE = """A greeting|C back|A disclosure|C back|A identity|C identity|A identity|C identity|A needs|C needs|A needs|C needs|
    A hold|C back|A pitch|C back|A pitch|C objection|A answer|C objection|A answer|A pitch|C back|A forbidden|C angry|
    A empathy|C angry|A answer|C happy|A next|C back|A next|C happy|A closing|C back"""


class SentenceSource:
    """Held-out sentences, each used once in a set."""

    def __init__(self, rng: random.Random, more: list[Sentence], trained: set[str]):
        self.rng, self.trained = rng, trained
        self.grammar = Grammar(rng)
        self.more = [sentence for sentence in more if self.is_unheard(sentence)]
        self.sections = [name for name in self.grammar.templates if name.startswith("call") and name != "call C back"]
        self.used: set[str] = set()

    def is_unheard(self, sentence: Sentence) -> bool:
        text = written(sentence)
        return is_held_out_sentence(text) and sentence_key(text) not in self.trained

    def from_section(self, section: str) -> Sentence | None:
        """A new held-out sentence of a section; None when the section has no more of them."""
        for _ in range(4000):
            sentence = self.grammar.draw(section)
            if sentence and sentence_key(written(sentence)) not in self.used and self.is_unheard(sentence):
                self.used.add(sentence_key(written(sentence)))
                return sentence
        return None

    def any(self) -> Sentence:
        if self.more and self.rng.random() < 0.2:
            sentence = self.more.pop(self.rng.randrange(len(self.more)))
            if sentence_key(written(sentence)) not in self.used:
                self.used.add(sentence_key(written(sentence)))
                return sentence
        return self.from_section(self.rng.choice(self.sections)) or self.any()


class Track:
    """One channel at 8 kHz while it is put together: clean speech, and who says what when."""

    def __init__(self):
        self.parts: list[tuple[int, np.ndarray]] = []
        self.turns: list[dict] = []
        self.end_s = 0.0

    def add(self, speech: Speech, begin_s: float, role: str, channel_number: int) -> float:
        """Places speech so that its first word begins at begin_s; → when its last word ends."""
        wave = resample_poly(speech.wave, 1, 2).astype(np.float32)
        wave *= 0.1 / channel.active_level(wave, RATE)
        start = max(0, round((begin_s - speech.words[0][1]) * RATE))
        offset_s = start / RATE
        milliseconds = lambda at_s: round((at_s + offset_s) * 1000)
        words = [
            dict(text=text, begin_ms=milliseconds(begin), end_ms=milliseconds(end)) for text, begin, end in speech.words
        ]
        self.parts.append((start, wave))
        self.turns.append(
            dict(role=role, channel=channel_number, voice=f"{speech.speaker.engine} {speech.speaker.voice}",
                 begin_ms=words[0]["begin_ms"], end_ms=words[-1]["end_ms"], text=speech.text, words=words)
        )  # fmt: skip
        self.end_s = max(self.end_s, offset_s + len(wave) / RATE)
        return words[-1]["end_ms"] / 1000

    def clean(self, length_s: float) -> np.ndarray:
        sound = np.zeros(round(length_s * RATE), np.float32)
        for start, wave in self.parts:
            wave = wave[: max(0, len(sound) - start)]
            sound[start : start + len(wave)] += wave
        return channel.telephone_band(sound, RATE)


def line(clean: np.ndarray, generator: np.random.Generator, snr_db: float, level_dbfs: float) -> np.ndarray:
    """Noise at an SNR below the active speech, active speech at a level, then µ-law."""
    active = channel.active_level(clean, RATE)
    noisy = clean + channel.line_noise(generator, len(clean)) * active * 10 ** (-snr_db / 20)
    return channel.mulaw(np.clip(noisy * 10 ** (level_dbfs / 20) / active, -1, 1))


def save(folder: pathlib.Path, name: str, channels: list[np.ndarray], turns: list[dict]):
    folder.mkdir(parents=True, exist_ok=True)
    samples = (np.clip(np.stack(channels, 1), -1, 1) * 32767).round().astype(np.int16)
    scipy.io.wavfile.write(folder / f"{name}.wav", RATE, samples[:, 0] if len(channels) == 1 else samples)
    turns = sorted(turns, key=lambda turn: turn["begin_ms"])
    (folder / f"{name}.reference.json").write_text(json.dumps(dict(language="en", turns=turns), indent=1) + "\n")


# -------------------------------------------------------------------- one speaker, several utterances
def monologues(speakers: list[Speaker], source: SentenceSource, rng: random.Random, build: pathlib.Path) -> list[Track]:
    tracks = []
    for speaker in speakers:
        track, at_s = Track(), rng.uniform(0.4, 1.0)
        for speech in speak([(source.any(), speaker) for _ in range(SENTENCES_PER_RECORDING)], build):
            at_s = track.add(speech, at_s, "rep", 0) + rng.uniform(0.3, 3.0)
        tracks.append(track)
    return tracks


def make_voice_sets(known: bool, out: pathlib.Path, wanted: list[str], source, seed: int, build: pathlib.Path):
    rng, generator = random.Random(seed + known), np.random.default_rng(seed + known)
    if known:
        speakers = [random_speaker(rng, "espeak", voices=[voice], accents=ACCENTS) for voice in KNOWN_ESPEAK]
        speakers += [random_speaker(rng, "flite", voices=[KNOWN_FLITE[index % 3]]) for index in range(12)]
    else:
        speakers = [random_speaker(rng, "espeak", voices=[voice], accents=ACCENTS) for voice in ESPEAK_HELD_OUT * 3]
        speakers += [random_speaker(rng, "flite", voices=["rms"]) for _ in range(8)]
        speakers += [random_speaker(rng, "festival", voices=["kal_diphone"]) for _ in range(8)]
    for index, track in enumerate(monologues(speakers, source, rng, build)):
        clean = track.clean(track.end_s + 0.5)
        voice = speakers[index].voice.split("+")[-1]
        name = f"{index:02}-{speakers[index].engine}-{voice}"
        versions = {
            "known-voices" if known else "unseen-voices": (generator.uniform(20, 35), generator.uniform(-27, -17))
        }
        if known:
            versions |= {"noise-10db": (10.0, -22.0), "quiet-35dbfs": (generator.uniform(20, 35), -35.0)}
        for set_name, (snr_db, level_dbfs) in versions.items():
            sound = line(clean, generator, snr_db, level_dbfs)
            if set_name in wanted:
                save(out / set_name, name, [sound], track.turns)


# -------------------------------------------------------------------- calls
def call_turns(source: SentenceSource, rng: random.Random) -> list[tuple[str, list[Sentence]]]:
    turns = []
    for section in (part.strip() for part in COURSE.split("|")):
        count = 1 if section.endswith("back") else rng.choice([1, 1, 2] if section.startswith("A") else [2, 2, 3])
        sentences = [source.from_section(f"call {section}") for _ in range(count)]
        sentences = [sentence for sentence in sentences if sentence]
        if sentences:
            turns.append(("rep" if section.startswith("A") else "customer", sentences))
    return turns


def make_call(index: int, speakers: dict[str, Speaker], source, rng: random.Random, build) -> tuple[list[Track], float]:
    """Even calls have about half of their time filled with speech, odd ones nearly all of it."""
    is_dense = index % 2 == 1
    tracks = {"rep": Track(), "customer": Track()}
    now_s, last_s, limit_s = rng.uniform(0.5, 1.5), 0.0, rng.uniform(130, 215)
    while now_s < limit_s:
        for role, sentences in call_turns(source, rng):
            # espeak-ng changes little from sentence to sentence; one speaker keeps its settings.
            for speech in speak([(sentence, speakers[role]) for sentence in sentences], build):
                begin_s = max(now_s, last_s if last_s <= now_s else now_s)
                end_s = tracks[role].add(speech, begin_s, role, 0 if role == "rep" else 1)
                pause_s = rng.uniform(0.03, 0.2) if is_dense else (end_s - begin_s) * rng.uniform(0.4, 1.8)
                now_s = last_s = end_s + pause_s
            if rng.random() < (0.35 if is_dense else 0.15):  # the other one comes in early
                own = tracks[role].turns[-1]
                now_s = max(own["begin_ms"] / 1000 + 0.3, own["end_ms"] / 1000 - rng.uniform(0.2, 0.9))
            if now_s >= limit_s:
                break
    return [tracks["rep"], tracks["customer"]], max(track.end_s for track in tracks.values()) + 0.6


def make_calls(out: pathlib.Path, wanted: list[str], source_for, count: int, seed: int, build: pathlib.Path):
    rng, generator = random.Random(seed + 10), np.random.default_rng(seed + 10)
    kinds = [
        ("espeak", False),
        ("flite", True),
        ("espeak", True),
        ("flite", False),
        ("festival", True),
        ("espeak", True),
    ]
    for index in range(count):
        speakers, used = {}, set()
        for role, (engine, held_out) in (
            ("rep", kinds[index % 6]),
            ("customer", kinds[(index * 5 + 2 + index // 6) % 6]),
        ):
            known = KNOWN_ESPEAK if engine == "espeak" else KNOWN_FLITE
            voices = [ESPEAK_HELD_OUT[(2 * index + (role == "customer")) % 6]] if held_out else known
            if engine != "espeak" and held_out:
                voices = ["rms"] if engine == "flite" else ["kal_diphone"]
            speaker = random_speaker(rng, engine, held_out, voices, ACCENTS)
            while speaker.voice.split("+")[-1] in used:  # the two voices differ
                speaker = random_speaker(rng, "espeak", True, accents=ACCENTS)
            used.add(speaker.voice.split("+")[-1])
            speakers[role] = speaker
        tracks, length_s = make_call(index, speakers, source_for(), rng, build)
        sounds = [
            line(t.clean(length_s), generator, generator.uniform(20, 35), generator.uniform(-26, -18)) for t in tracks
        ]
        turns = [turn for track in tracks for turn in track.turns]
        name = f"{index:02}-{'dense' if index % 2 else 'half'}"
        if "calls" in wanted:
            save(out / "calls", name, sounds, turns)
        if "mono-calls" in wanted:
            mixed = channel.mulaw((sounds[0] + sounds[1]) / 2)
            save(out / "mono-calls", name, [mixed], [turn | dict(channel=0) for turn in turns])


# -------------------------------------------------------------------- no speech
def babble(rng: random.Random, source, length_s: float, voices: int, build: pathlib.Path) -> np.ndarray:
    """So many voices at once that nothing can be understood."""
    total = np.zeros(round(length_s * RATE), np.float32)
    for index in range(voices):
        engine = rng.choice(["espeak", "espeak", "flite"])
        speaker, track, at_s = (
            random_speaker(rng, engine, index % 2 == 0, accents=ACCENTS),
            Track(),
            rng.uniform(0, 1.5),
        )
        while at_s < length_s:
            for speech in speak([(source.any(), speaker) for _ in range(4)], build):
                at_s = track.add(speech, at_s, "rep", 0) + rng.uniform(0.05, 0.4)
        total += track.clean(length_s) * rng.uniform(0.7, 1.2)
    return total / voices**0.5


def make_no_speech(out: pathlib.Path, source_for, seed: int, build: pathlib.Path):
    """Thirty minutes; every third sound through MP3, every third through µ-law."""
    rng, generator = random.Random(seed + 20), np.random.default_rng(seed + 20)
    minute_s, time_s = 60.0, sounds.clock(60.0)

    def noise(slope: float, dbfs: float) -> np.ndarray:
        return sounds.at_level(sounds.noise(generator, minute_s, slope), dbfs)

    uk_cadence = (time_s % 3 < 0.4) | ((time_s % 3 > 0.6) & (time_s % 3 < 1))
    made = {
        "silence-digital": np.zeros(len(time_s)),
        "silence-line": noise(0.3, -62),
        "silence-hiss": noise(0, -50),
        "white-40": noise(0, -40),
        "white-22": noise(0, -22),
        "pink-35": noise(0.5, -35),
        "pink-20": noise(0.5, -20),
        "brown-25": noise(1.0, -25),
        "hum-50": sounds.at_level(sounds.hum(minute_s, 50), -30),
        "hum-60-noise": sounds.at_level(sounds.hum(minute_s, 60), -30) + noise(0.5, -40),
        "ringing-us": sounds.tones(time_s, [440, 480], (time_s % 6) < 2),
        "ringing-uk": sounds.tones(time_s, [400, 450], uk_cadence),
        "ringing-eu": sounds.tones(time_s, [425], (time_s % 5) < 1),
        "busy-us": sounds.tones(time_s, [480, 620], (time_s % 1) < 0.5),
        "dial-tone": sounds.tones(time_s, [350, 440]),
        "key-tones-1": sounds.key_tones(generator, minute_s),
        "key-tones-2": sounds.key_tones(generator, minute_s) * 0.3 + noise(0.4, -45),
        "fax-1": sounds.fax(generator, minute_s),
        "fax-2": sounds.fax(generator, minute_s) * 0.4 + noise(0.3, -45),
        "clicks": sounds.clicks(generator, minute_s, 0.0004) + noise(0.3, -55),
    }
    for index, instrument in enumerate(["bells", "organ", "strings", "bells", "organ"]):
        music = sounds.hold_music(generator, minute_s, instrument)
        made[f"hold-music-{index + 1}-{instrument}"] = sounds.at_level(music, -20)
    for voices, dbfs in ((6, -24), (7, -30), (8, -22), (10, -35), (12, -26)):
        made[f"babble-{voices}-voices"] = sounds.at_level(babble(rng, source_for(), minute_s, voices, build), dbfs)
    for index, (name, sound) in enumerate(made.items()):
        sound = np.clip(sound, -1, 1).astype(np.float32)
        if index % 3 == 1 and sound.any():
            sound, name = channel.through_codec(sound, RATE, "mp3-24k"), name + "-mp3"
        elif index % 3 == 2:
            sound, name = channel.mulaw(sound), name + "-mulaw"
        save(out / "no-speech", name, [sound], [])


# -------------------------------------------------------------------- which
def read_sentences(path: pathlib.Path) -> list[Sentence]:
    """Held-out sentences of real customer service: lines with text, spoken, source."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        [SaidWord(word, word) for word in entry["text"].split()]
        for entry in entries
        if entry["source"] == "real" and entry["text"] == entry["spoken"]
    ]


SETS = ["known-voices", "unseen-voices", "calls", "mono-calls", "noise-10db", "quiet-35dbfs", "no-speech"]
PEOPLE = "people"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--sets", default=",".join(SETS), help="comma-separated; default: all that are synthetic")
    parser.add_argument("--sentences", type=pathlib.Path, help="JSON lines with held-out sentences of source `real`")
    parser.add_argument("--trained", type=pathlib.Path, help="gzip text of all sentences that were trained on")
    parser.add_argument("--build", type=pathlib.Path, help="folder for the flite program (default: OUT/.build)")
    parser.add_argument("--people", type=pathlib.Path, help="folder of real recordings, for the set `people`")
    parser.add_argument("--people-hop", type=int, default=60, help="seconds between the begins of two pieces of 60 s")
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    wanted, build = options.sets.split(","), options.build or options.out / ".build"
    if options.people:
        count = people.write_pieces(options.people, options.out / PEOPLE, hop_s=options.people_hop)
        print(f"{PEOPLE}: {count} pieces")
        wanted = [name for name in wanted if name != PEOPLE]
    if unknown := set(wanted) - set(SETS):
        parser.error(f"no such set: {', '.join(sorted(unknown))}; there are: {', '.join(SETS)}")
    trained: set[str] = set()
    if options.trained:
        with gzip.open(options.trained, "rt") as lines:
            trained = {sentence_key(text) for text in lines}
    more = read_sentences(options.sentences) if options.sentences else []

    def source_for(offset: int):
        return lambda: SentenceSource(random.Random(options.seed + offset), list(more), trained)

    if {"known-voices", "noise-10db", "quiet-35dbfs"} & set(wanted):
        make_voice_sets(True, options.out, wanted, source_for(100)(), options.seed, build)
    if "unseen-voices" in wanted:
        make_voice_sets(False, options.out, wanted, source_for(200)(), options.seed, build)
    if {"calls", "mono-calls"} & set(wanted):
        shared = source_for(300)()
        make_calls(options.out, wanted, lambda: shared, options.calls, options.seed, build)
    if "no-speech" in wanted:
        make_no_speech(options.out, source_for(400), options.seed, build)
    for folder in (options.out / name for name in wanted):
        report(folder)


def report(folder: pathlib.Path):
    words = speech_ms = length_s = overlap_ms = 0
    for file in sorted(folder.glob("*.wav")):
        rate_hz, samples = scipy.io.wavfile.read(file)
        turns = json.loads(file.with_suffix("").with_suffix(".reference.json").read_text())["turns"]
        length_s += len(samples) / rate_hz
        words += sum(len(turn["words"]) for turn in turns)
        active = np.zeros(len(samples) * 1000 // rate_hz + 1, int)
        for turn in turns:
            active[turn["begin_ms"] : turn["end_ms"]] += 1
        speech_ms += int((active > 0).sum())
        overlap_ms += int((active > 1).sum())
    files = len(list(folder.glob("*.wav")))
    share, overlap = speech_ms / length_s / 10, overlap_ms / length_s / 10
    print(
        f"{folder.name}: {files} recordings, {length_s / 60:.1f} min, {words} words, "
        f"speech {share:.0f} %, overlap {overlap:.1f} %"
    )


if __name__ == "__main__":
    main()
