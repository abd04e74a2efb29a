"""Step 4b: fits the head again on the trained layers, with all call sentences weighing more. Minutes on one core.

    python refit_head.py        # reads and replaces build/sentiment.npz (the old one becomes sentiment_first.npz)

The layers stay as they ship (rounded to int8). Rule set before the fit: the new head is kept if macro-F1 on the
GoEmotions dev split falls by less than 0.5 points. Neither test set is read.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import accuracy_score, f1_score

import features
from common import BUILD, HERE, LABELS, PRIVATE, as_shipped, read_tsv, transformer_layer
from dataset import as_recognised
from train import Features, flat, nest

CALL_WEIGHT, EPOCHS, RATE, BATCH = 8, 8, 5e-4, 256


def pooled_of(params, data):
    @jax.jit
    def run(x, mask):
        bias = (1.0 - mask)[:, None, None, :] * -1e4
        for index in range(PRIVATE):
            x = transformer_layer(params[str(index)], x, bias)
        m = mask[:, :, None]
        return jnp.concatenate([(x * m).sum(1) / m.sum(1), jnp.where(m > 0, x, -1e4).max(1)], axis=-1)

    out = np.zeros((len(data.labels), 768), np.float32)
    for index, real, padded in features.batches(data.lengths):
        out[index[:real]] = np.asarray(run(*data.block(index, padded)))[:real]
    return out


def head_logits(head, x):
    return jnp.tanh(x @ head["dense_w"] + head["dense_b"]) @ head["out_w"] + head["out_b"]


def main():
    saved = np.load(BUILD / "sentiment.npz")
    params = {k: v for k, v in nest({k: saved[k] for k in saved.files if "." in k}).items()}
    layers = {str(i): as_shipped({k: np.asarray(v) for k, v in params[str(i)].items()}) for i in range(PRIVATE)}
    calls = [[LABELS.index(label), text, "calls"] for label, text in read_tsv(HERE / "data/call_train.tsv")]
    calls += [[label, as_recognised(text), source] for label, text, source in calls if as_recognised(text) != text]
    json.dump(calls, open(BUILD / "call_sentences.json", "w"))
    features.main(["call_sentences"])
    sets = {}
    for name in ["dev", "call_sentences", "train"]:
        data = Features(name)
        sets[name] = pooled_of(layers, data), data.labels
        print("pooled", name, len(data.labels), flush=True)
    x = np.concatenate([sets["train"][0]] + [sets["call_sentences"][0]] * CALL_WEIGHT)
    y = np.concatenate([sets["train"][1]] + [sets["call_sentences"][1]] * CALL_WEIGHT)
    weights = jnp.asarray(np.sqrt(len(y) / 3 / np.bincount(y, minlength=3)), jnp.float32)
    head = params["head"]

    @jax.jit
    def step(head, m, v, n, xb, yb, key):
        def loss(h):
            a, b = jax.random.split(key)
            xd = xb * jax.random.bernoulli(a, 0.9, xb.shape) / 0.9
            hidden = jnp.tanh(xd @ h["dense_w"] + h["dense_b"])
            hidden = hidden * jax.random.bernoulli(b, 0.9, hidden.shape) / 0.9
            logp = jax.nn.log_softmax(hidden @ h["out_w"] + h["out_b"])
            return -(jnp.take_along_axis(logp, yb[:, None], 1)[:, 0] * weights[yb]).sum() / weights[yb].sum()

        value, g = jax.value_and_grad(loss)(head)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        rate = RATE * (1 - n / (EPOCHS * (len(y) // BATCH) + 1))
        new = jax.tree.map(lambda p, a, b: p - rate * ((a / (1 - 0.9**n)) / (jnp.sqrt(b / (1 - 0.999**n)) + 1e-8) + 0.01 * p), head, m, v)
        return new, m, v, value

    def measure(name, head):
        logits = np.asarray(head_logits(head, sets[name][0]))
        return logits, f1_score(sets[name][1], logits.argmax(1), average="macro"), accuracy_score(sets[name][1], logits.argmax(1))

    _, before, accuracy = measure("dev", head)
    print(f"before: dev accuracy {accuracy:.4f}, macro-F1 {before:.4f}; call sentences accuracy {measure('call_sentences', head)[2]:.4f}")
    m, v, n = jax.tree.map(jnp.zeros_like, head), jax.tree.map(jnp.zeros_like, head), 0
    for epoch in range(EPOCHS):
        order = np.random.default_rng(100 + epoch).permutation(len(y))
        for start in range(0, len(y) - BATCH + 1, BATCH):
            n += 1
            i = order[start : start + BATCH]
            head, m, v, value = step(head, m, v, jnp.float32(n), x[i], y[i], jax.random.fold_in(jax.random.PRNGKey(17), n))
        logits, after, accuracy = measure("dev", head)
        print(f"epoch {epoch + 1}: loss {float(value):.3f}, dev accuracy {accuracy:.4f}, macro-F1 {after:.4f}; "
              f"call sentences accuracy {measure('call_sentences', head)[2]:.4f}", flush=True)
    labels = sets["dev"][1]
    loss = lambda t: -np.take_along_axis(np.asarray(jax.nn.log_softmax(logits / t)), labels[:, None], 1).mean()
    temperature = minimize_scalar(loss, bounds=(0.5, 5), method="bounded").x
    if after < before - 0.005:
        print("not kept")
        return
    (BUILD / "sentiment.npz").replace(BUILD / "sentiment_first.npz")
    np.savez(BUILD / "sentiment.npz", temperature=temperature, dev_f1=after, **flat({**{k: params[k] for k in layers}, "head": head}))
    print(f"kept; temperature {temperature:.3f}")


if __name__ == "__main__":
    main()
