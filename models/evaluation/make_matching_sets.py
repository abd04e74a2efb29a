#!/usr/bin/env python3
"""Sentences for `matching_report`: unrelated service dialogue, one sentence a line, and a table of homophones.

    models/evaluation/make_matching_sets.py --text ../shared/data/text --out SETS [--homophones models/evaluation/homophones_zh.tsv]

`SETS/{en,zh}/*.txt`: one file per source, each sentence once, in an order that a seed decides. The table of homophones (needs pypinyin) has the
3,755 most used characters (GB 2312, level 1) by the most common reading of each, without tone; it is committed.
"""
import argparse
import gzip
import json
import pathlib
import random
import re
import sys


def lines(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return [json.loads(line) for line in file]


def english(text):
    """Source name -> utterances."""
    yield "natcs", [r["utterance"] for n in ("banking", "finance", "insurance") for r in lines(text / f"natcs_dstc11_intents/{n}.jsonl")]
    yield "banking77", [r["text"] for r in lines(text / "banking77/banking77.jsonl.gz")]
    yield "clinc150", [r["text"] for r in lines(text / "clinc150/clinc150.jsonl.gz")]
    yield "nlupp", [r["text"] for n in ("banking", "hotels") for r in lines(text / f"nlupp/{n}.jsonl")]
    yield "multidogo", [r["text"] for path in sorted((text / "multidogo").glob("*.gz")) for r in lines(path)]
    yield "harper_valley", [s["human"] for r in lines(text / "harper_valley_sample/calls.jsonl") for s in r["segments"]]
    calls = json.loads((text / "abcd/abcd_sample.json").read_text(encoding="utf-8"))
    yield "abcd", [said for call in calls for role, said in call["original"] if role in ("agent", "customer")]
    yield "ms_ckm", [r["text"] for r in lines(text / "ms_ckm_transcripts/calls.jsonl.gz")]


def chinese(text):
    yield "crosswoz", [t["text"] for r in lines(text / "crosswoz_zh/crosswoz_val_test.jsonl.gz") for t in r["turns"]]
    yield "cped", [r["text"] for r in lines(text / "cped_zh_dialogue/cped.jsonl.gz")]
    yield "asap", [r["text"] for r in lines(text / "asap_zh_reviews_sample/asap_sample.jsonl")]


def sentences(utterances):
    """Utterances cut at sentence marks; each sentence once."""
    seen = {}
    for utterance in utterances:
        for sentence in re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n", utterance):
            sentence = sentence.strip()
            if len(sentence) > 1:
                seen.setdefault(sentence.lower())
    return list(seen)


def write_homophones(path):
    from pypinyin import Style, lazy_pinyin

    by_sound = {}
    for row in range(16, 56):
        for cell in range(1, 95):
            try:
                character = bytes([row + 0xA0, cell + 0xA0]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            by_sound.setdefault(lazy_pinyin(character, style=Style.NORMAL)[0], []).append(character)
    with open(path, "w", encoding="utf-8") as file:
        for sound in sorted(by_sound):
            file.write(f"{sound}\t{''.join(by_sound[sound])}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=pathlib.Path, help="folder of labelled text (shared/data/text)")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--homophones", type=pathlib.Path, help="write the table of homophones, too")
    args = parser.parse_args()
    if args.homophones:
        write_homophones(args.homophones)
    if not args.out:
        return
    for language, sources in (("en", english), ("zh", chinese)):
        folder = args.out / language
        folder.mkdir(parents=True, exist_ok=True)
        for name, utterances in sources(args.text):
            chosen = sentences(utterances)
            random.Random(7).shuffle(chosen)
            (folder / f"{name}.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
            print(f"{language}/{name}: {len(chosen)} sentences", file=sys.stderr)


if __name__ == "__main__":
    main()
