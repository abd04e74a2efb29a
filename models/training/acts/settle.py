"""Step 1: puts the settled labels into data/{en,zh}.tsv, as the column `acts`.

    python settle.py settled.en.tsv settled.zh.tsv

Where the two annotators agree their set is the label; where they differ, the adjudicator's (id<TAB>acts, one line per such turn).
"""

import sys

from common import HERE, LANGUAGES, columns, read_rows, read_turns


def main():
    for language, path in zip(LANGUAGES, sys.argv[1:], strict=True):
        settled, turns = dict(read_rows(path)), read_turns(language)
        differing = [t["id"] for t in turns if set(t["acts_a"].split(",")) != set(t["acts_b"].split(","))]
        assert sorted(differing) == sorted(settled), set(differing) ^ set(settled)
        lines = ["turn\trole\ttext\tacts_a\tacts_b\tacts"]
        for turn in turns:
            acts = settled.get(turn["id"], turn["acts_a"])
            assert acts == "other" or len(columns(turn["role"], acts)) == len(set(acts.split(","))), (turn["id"], acts)
            lines.append("\t".join([turn[name] for name in ("id", "role", "text", "acts_a", "acts_b")] + [acts]))
        (HERE / f"data/{language}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        neither = sum(set(s.split(",")) not in (set(t["acts_a"].split(",")), set(t["acts_b"].split(","))) for t in turns if (s := settled.get(t["id"])))
        print(f"{language}: {len(turns)} turns, {len(differing)} settled, {neither} of them as neither annotator had it")


if __name__ == "__main__":
    main()
