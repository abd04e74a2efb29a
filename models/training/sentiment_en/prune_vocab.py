"""Step 1: keeps the word pieces that English calls need; writes ../../text-en/tokenizer.json and build/base.npz.

Kept: special tokens; the pieces of ESSENTIAL, of the call sentences and of the compliance phrases; every single character below U+0250 and general punctuation and currency signs (whole and as a
continuation, so that English text has no unknown token), then the pieces that are most frequent in the mean of two
distributions: the text sets, and general English (the 100,000 commonest words of wordfreq, cut into pieces).
"""

import collections
import json

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from wordfreq import top_n_list, word_frequency

from common import BUILD, DATA, HERE, LAYERS, MAX_TOKENS, OUT, base_folder, load_layer, quantise, read_jsonl, read_tsv

SIZE, WORDS = 13_300, 100_000

ESSENTIAL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion first second third fourth "
    "fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
    "nineteenth twentieth thirtieth january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday half quarter percent double triple dollars pounds euros cents "
    "copay deductible escrow refinance refinancing mortgage premium policyholder underwriting refund overdraft evicted eviction "
    "apologise apologize cancellation subscription voicemail supervisor scam fraud lawsuit lawyer complaint"
)


def essential():
    yield ESSENTIAL
    for name in [HERE / "data/call_train.tsv", HERE / "data/paraphrases.tsv"]:
        yield from (" ".join(row) for row in read_tsv(name))
    for name in ["required_en.json", "forbidden_en.json"]:
        yield (DATA / "compliance_seed_phrases" / name).read_text(encoding="utf-8")


def texts():
    """Every English line of the text sets that shows how people speak to call centres, or how they write."""
    for name in ["airline", "finance", "insurance", "media", "software"]:
        yield from (row["text"] for row in read_jsonl(DATA / f"multidogo/{name}.jsonl.gz"))
    for name in ["banking", "finance", "insurance"]:
        yield from (row["utterance"] for row in read_jsonl(DATA / f"natcs_dstc11_intents/{name}.jsonl"))
    for name in ["nlupp/banking.jsonl", "nlupp/hotels.jsonl", "banking77/banking77.jsonl.gz", "clinc150/clinc150.jsonl.gz",
                 "ms_ckm_transcripts/calls.jsonl.gz"]:
        yield from (row["text"] for row in read_jsonl(DATA / name))
    for call in json.load(open(DATA / "abcd/abcd_sample.json")):
        yield from (text for _, text in call["original"])
    for call in read_jsonl(DATA / "harper_valley_sample/calls.jsonl"):
        yield from (segment["human"] for segment in call["segments"])
    yield from (row["text"] for row in read_jsonl(DATA / "goemotions/goemotions.jsonl.gz") if row["split"] == "train")


def main():
    base = base_folder()
    spec = json.load(open(base / "tokenizer.json"))
    vocab = spec["model"]["vocab"]
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    counts = collections.Counter()
    batch = [text for text in texts() if text]
    for i in range(0, len(batch), 2000):
        for encoding in tokenizer.encode_batch(batch[i : i + 2000], add_special_tokens=False):
            counts.update(encoding.tokens)

    general = collections.Counter()
    words = top_n_list("en", WORDS)
    for word, encoding in zip(words, tokenizer.encode_batch(words, add_special_tokens=False)):
        for piece in encoding.tokens:
            general[piece] += word_frequency(word, "en")
    weight = {piece: counts[piece] / counts.total() + general[piece] / general.total() for piece in vocab}

    def single(piece):
        core = piece.removeprefix("##")
        return len(core) == 1 and (ord(core) < 0x250 or 0x2010 <= ord(core) <= 0x2060 or 0x20A0 <= ord(core) <= 0x20CF)

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    by_rank = [piece for piece, _ in sorted(vocab.items(), key=lambda item: item[1]) if not piece.startswith("[")]
    keep = {piece for piece in by_rank if single(piece)} | {"["}
    for encoding in tokenizer.encode_batch(list(essential()), add_special_tokens=False):
        keep.update(piece for piece in encoding.tokens if piece.isascii() and not piece.startswith("[U"))
    for piece in sorted(by_rank, key=lambda piece: (-weight[piece], vocab[piece])):
        if len(keep) == SIZE - len(specials):
            break
        if piece.isascii():
            keep.add(piece)
            rarest = weight[piece] / 2
    pieces = specials + sorted(keep, key=vocab.get)
    ids = {piece: i for i, piece in enumerate(pieces)}

    spec["model"]["vocab"] = ids
    spec["added_tokens"] = [dict(t, id=ids[t["content"]]) for t in spec["added_tokens"] if t["content"] in specials]
    for name, token in spec["post_processor"]["special_tokens"].items():
        token["ids"] = [ids[name]]
    spec["padding"] = None
    spec["truncation"] = {"max_length": MAX_TOKENS, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    OUT.mkdir(exist_ok=True)
    json.dump(spec, open(OUT / "tokenizer.json", "w", encoding="utf-8"), ensure_ascii=False, separators=(",", ":"))

    pruned = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    changed = unknown = 0
    for i in range(0, len(batch), 2000):
        old = tokenizer.encode_batch(batch[i : i + 2000], add_special_tokens=False)
        new = pruned.encode_batch(batch[i : i + 2000], add_special_tokens=False)
        changed += sum(a.tokens[:100] != b.tokens[:100] for a, b in zip(old, new))
        unknown += sum("[UNK]" in b.tokens and "[UNK]" not in a.tokens for a, b in zip(old, new))
    print(f"{len(pieces)} pieces (the rarest is {1e6 * rarest:.2f} in a million); of {len(batch)} lines {changed} are cut otherwise, {unknown} have a new [UNK]")

    # The base file spells its tensors with or without a "bert." prefix.
    tensors = {k.removeprefix("bert."): v for k, v in load_file(base / "model.safetensors").items()}
    rows = np.array([vocab[piece] for piece in pieces])
    words, word_scale = quantise(tensors["embeddings.word_embeddings.weight"][rows].astype(np.float32), 0)
    # Every text has one segment: its type vector is part of the position vector.
    position = tensors["embeddings.position_embeddings.weight"][:MAX_TOKENS] + tensors["embeddings.token_type_embeddings.weight"][0]
    arrays = {"words": words, "word_scale": word_scale, "position": position.astype(np.float32),
              "ln_w": tensors["embeddings.LayerNorm.weight"], "ln_b": tensors["embeddings.LayerNorm.bias"]}
    for index in range(LAYERS):
        arrays |= {f"{index}.{k}": v for k, v in load_layer(tensors, index).items()}
    np.savez(BUILD / "base.npz", **arrays)


main()
