"""Step 3: the shared layers' output for every labelled turn, build/features_{name}.npz (float16, one row per token).

Only the last PRIVATE layers of the sentiment branch learn, so the rest of the encoder runs once per text.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np

from common import BUILD, LAYERS, PRIVATE, as_shipped, dequantise, tokenizer, transformer_layer

MAX_TRAIN_TOKENS, TOKENS_PER_BATCH = 64, 2048


def load_base():
    """(embedding parameters, layers), all with the values that are shipped."""
    arrays = np.load(BUILD / "base.npz")
    embed = {k: arrays[k] for k in ["position", "ln_w", "ln_b"]}
    embed["words"] = dequantise(arrays["words"], arrays["word_scale"], 0)
    layers = [as_shipped({k.split(".", 1)[1]: arrays[k] for k in arrays.files if k.startswith(f"{i}.")}) for i in range(LAYERS)]
    return embed, layers


def embed_tokens(embed, ids):
    x = embed["words"][ids] + embed["position"][: ids.shape[1]]
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(jnp.square(x - mean).mean(-1, keepdims=True) + 1e-12) * embed["ln_w"] + embed["ln_b"]


@jax.jit
def shared(embed, layers, ids, mask):
    bias = (1.0 - mask)[:, None, None, :] * -1e4
    x = embed_tokens(embed, ids)
    for layer in layers:
        x = transformer_layer(layer, x, bias)
    return x


def batches(lengths, tokens_per_batch=TOKENS_PER_BATCH, step=8, rng=None):
    """(indices, padded length) with a fixed batch size per padded length; the last one may repeat an index."""
    order = np.argsort(lengths, kind="stable") if rng is None else rng.permutation(len(lengths))
    by_length = {}
    for i in order:
        by_length.setdefault(int(-(-lengths[i] // step) * step), []).append(i)
    result = []
    for padded, members in sorted(by_length.items()):
        size = tokens_per_batch // padded
        for start in range(0, len(members), size):
            chunk = members[start : start + size]
            result.append((np.array(chunk + [chunk[0]] * (size - len(chunk))), len(chunk), padded))
    return result


def main(names):
    embed, layers = load_base()
    tok = tokenizer()
    tok.enable_truncation(MAX_TRAIN_TOKENS)
    for name in names:
        rows = json.load(open(BUILD / f"{name}.json"))
        ids = [e.ids for e in tok.encode_batch([text for _, text, _ in rows])]
        lengths = np.array([len(i) for i in ids])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        out = np.zeros((starts[-1], 384), np.float16)
        todo = batches(lengths)
        for n, (index, real, padded) in enumerate(todo):
            block = np.zeros((len(index), padded), np.int32)
            for row, i in enumerate(index):
                block[row, : lengths[i]] = ids[i]
            mask = (np.arange(padded) < lengths[index][:, None]).astype(np.float32)
            x = np.asarray(shared(embed, layers[: LAYERS - PRIVATE], block, mask))
            for row, i in enumerate(index[:real]):
                out[starts[i] : starts[i + 1]] = x[row, : lengths[i]]
            if n % 50 == 0:
                print(name, n, "/", len(todo), flush=True)
        np.savez(BUILD / f"features_{name}.npz", x=out, starts=starts, labels=np.array([row[0] for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1:] or ["dev", "test", "test_calls", "train"])
