"""Which voices and sentences the recogniser never hears while it learns: the rules behind every held-out figure."""

import hashlib
import re

# espeak-ng variants, spoken with the accents below. Monster, robot and whisper variants are left out.
ESPEAK_ACCENTS = (
    ["en-us"] * 12 + ["en"] * 3 + ["en-us-nyc"] * 2 + ["en-gb-x-rp"] * 2 + ["en-gb-scotland", "en-gb-x-gbcwmd"]
)
ESPEAK_TRAIN = (
    """m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 klatt klatt2 Andrea Gene Lee Michael Mike Mario adam anika antonio belinda
    david edward john marcelo paul rob steph travis zac Alex Alicia Andy Denis Diogo Gene2 Henrique Hugo Jacky Marco
    anikaRobot announcer aunty boris caleb ed edward2 fast gustave iven iven2 iven3 max michel miguel norbert pablo pedro
    quincy robert sandro shelby steph2 steph3 victor klatt4 klatt6 grandma grandpa RicishayMax""".split()
)
ESPEAK_HELD_OUT = "m6 f4 Annie benjamin klatt3 linda".split()
FLITE_TRAIN = ["slt", "awb", "kal16", "kal"]
FLITE_HELD_OUT = ["rms"]
FESTIVAL_TRAIN = ["cmu_us_slt_arctic_hts"]
# kal_diphone is the speaker of flite's kal16 in another synthesiser: the voice is held out, the person is not.
FESTIVAL_HELD_OUT = ["kal_diphone", "ked_diphone"]

HELD_OUT_PERCENT = 3


def sentence_key(text: str) -> str:
    """Letters and digits only: sentences that differ in case or punctuation count as one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def is_held_out_sentence(text: str) -> bool:
    """True for the 3 % of sentences that must never be synthesised for training."""
    digest = int(hashlib.md5(sentence_key(text).encode()).hexdigest(), 16)
    return digest % 100 < HELD_OUT_PERCENT
