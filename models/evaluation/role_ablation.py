#!/usr/bin/env python3
"""How well rep and customer are told apart with some of the cues, all others forgotten.

  callmark eval roles SET --turns 4 --cues > CUES; role_ablation.py CUES

CUES: a line per dialogue, each cue as often as the rep shows it more than the customer. Their weights are read from
pipeline/core/src/role_cues.rs; a cue counts once. Decided by the sign of the sum alone, without the floor of the program."""

import argparse
import json
import pathlib
import re

RULES = pathlib.Path(__file__).parents[2] / "pipeline/core/src/role_cues.rs"
# What a script makes the rep say, whatever the call is about.
SCRIPT = set(
    "greeting self_introduction recording_disclosure identity_check closing names_company offers_help discloses_recording asks_identity".split()
)


def weights() -> dict[str, int]:
    source = RULES.read_text()
    acts = re.findall(r'\("(\w+)", (-?\d+)\)', source)
    cues = re.findall(r'name: "(\w+)",\s*odds_milli: (-?\d+)', source)
    return {name: int(odds) for name, odds in acts + cues}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cues", type=pathlib.Path)
    calls = [json.loads(line)["cues"] for line in parser.parse_args().cues.read_text().splitlines()]
    odds = weights()
    for name, used in [("all cues", set(odds)), ("without the script's", set(odds) - SCRIPT), ("the script's alone", SCRIPT)]:
        sums = [sum(odds[cue] * max(-1, min(1, count)) for cue, count in call.items() if cue in used) for call in calls]
        right, wrong = sum(total > 0 for total in sums), sum(total < 0 for total in sums)
        print(f"{name}: {right} right, {wrong} wrong, {len(sums) - right - wrong} undecided of {len(sums)}")


if __name__ == "__main__":
    main()
