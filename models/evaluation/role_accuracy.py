#!/usr/bin/env python3
"""How often `callmark run` told rep and customer apart in recordings whose roles are known.

  role_accuracy.py RECORDINGS OUT

RECORDINGS holds NAME.wav and NAME.reference.json (make_mono_calls.py); OUT is what `callmark run RECORDINGS/*.wav --set channels=auto
--out OUT` wrote. A call is right when its rep speaks longer at the times of the reference's rep than at those of the customer.
Abstained: `unscored` because of the roles; calls that are unscored for another reason are left out and counted apart."""

import argparse
import collections
import hashlib
import json
import math
import pathlib

ABSTAINS = {"mono_roles_unknown", "role_uncertain"}


def wilson(successes: int, n: int) -> str:
    if n == 0:
        return "–"
    p, z = successes / n, 1.96
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (min(1, max(0, (centre + sign * half) / (1 + z * z / n))) for sign in (-1, 1))
    return f"{100 * p:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def overlap_ms(spans, others) -> int:
    return sum(max(0, min(end, other_end) - max(begin, other)) for begin, end in spans for other, other_end in others)


def spans_of_reps(analysis: dict) -> list[tuple[int, int]]:
    turns = [turn for turn in analysis["Transcript"] if turn["ParticipantId"] == "AGENT"]
    return [(turn["BeginOffsetMillis"], turn["EndOffsetMillis"]) for turn in turns]


def judge(analysis: dict, reference: dict) -> str:
    reason = analysis["Qa"].get("reason")
    if analysis["Qa"]["status"] == "unscored":
        return f"abstained: {reason}" if reason in ABSTAINS else f"left out: {reason}"
    truth = collections.defaultdict(list)
    for turn in reference["turns"]:
        truth[turn["role"]].append((turn["begin_ms"], turn["end_ms"]))
    said = spans_of_reps(analysis)
    return "right" if overlap_ms(said, truth["rep"]) > overlap_ms(said, truth["customer"]) else "wrong"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    found = collections.Counter()
    for recording in sorted(options.recordings.glob("*.wav")):
        # Without metadata, a call's id is the beginning of its hash.
        call_id = hashlib.sha256(recording.read_bytes()).hexdigest()[:16]
        analysis = options.out / f"{call_id}.analysis.json"
        if not analysis.exists():
            found["left out: no result"] += 1
            continue
        reference = json.loads(recording.with_suffix(".reference.json").read_text())
        found[judge(json.loads(analysis.read_text()), reference)] += 1
    for kind, count in sorted(found.items()):
        print(f"{count:5} {kind}")
    right, wrong = found["right"], found["wrong"]
    abstained = sum(count for kind, count in found.items() if kind.startswith("abstained"))
    print(f"right of decided: {wilson(right, right + wrong)}; abstained: {wilson(abstained, right + wrong + abstained)}")


if __name__ == "__main__":
    main()
