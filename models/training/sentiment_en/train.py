"""Step 4: trains the sentiment branch (private copies of the last layers and the head) on the cached features.

Resumable: build/checkpoint.npz is written after every epoch and picked up by the next start. The epoch with the best
macro-F1 on the GoEmotions dev split is kept in build/sentiment.npz, with the temperature that minimises the dev
split's log loss. The test sets are not read here.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import accuracy_score, f1_score

from common import BUILD, HIDDEN, LAYERS, PRIVATE, transformer_layer
from features import batches, load_base

WIDTH = 128


def forward(params, x, mask, key=None, dropout=0.1):
    """Logits; with a key, dropout on layer outputs and on the pooled vector."""
    bias = (1.0 - mask)[:, None, None, :] * -1e4
    keys = iter(jax.random.split(key, PRIVATE + 2)) if key is not None else None

    def drop(t):
        return t if keys is None else t * jax.random.bernoulli(next(keys), 1 - dropout, t.shape) / (1 - dropout)

    x = drop(x)
    for index in range(PRIVATE):
        x = transformer_layer(params[str(index)], x, bias)
        if index < PRIVATE - 1:
            x = drop(x)
    m = mask[:, :, None]
    pooled = jnp.concatenate([(x * m).sum(1) / m.sum(1), jnp.where(m > 0, x, -1e4).max(1)], axis=-1)
    hidden = jnp.tanh(drop(pooled) @ params["head"]["dense_w"] + params["head"]["dense_b"])
    return drop(hidden) @ params["head"]["out_w"] + params["head"]["out_b"]


def flat(tree, prefix=""):
    return {f"{prefix}{a}.{b}": np.asarray(v) for a, inner in tree.items() for b, v in inner.items()}


def nest(arrays, prefix=""):
    tree = {}
    for name in arrays:
        if name.startswith(prefix):
            a, b = name[len(prefix):].split(".")
            tree.setdefault(a, {})[b] = jnp.asarray(arrays[name])
    return tree


class Features:
    def __init__(self, name):
        data = np.load(BUILD / f"features_{name}.npz")
        self.x, self.starts, self.labels = data["x"], data["starts"], data["labels"]
        self.lengths = np.diff(self.starts)

    def block(self, index, padded):
        x = np.zeros((len(index), padded, HIDDEN), np.float32)
        for row, i in enumerate(index):
            x[row, : self.lengths[i]] = self.x[self.starts[i] : self.starts[i + 1]]
        return x, (np.arange(padded) < self.lengths[index][:, None]).astype(np.float32)


infer = jax.jit(forward)


def logits_of(params, features):
    out = np.zeros((len(features.labels), 3), np.float32)
    for index, real, padded in batches(features.lengths):
        out[index[:real]] = np.asarray(infer(params, *features.block(index, padded)))[:real]
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--epochs", type=int, default=5)
    args.add_argument("--layer-rate", type=float, default=1e-4)
    args.add_argument("--head-rate", type=float, default=1e-3)
    args.add_argument("--decay", type=float, default=0.01)
    args = args.parse_args()

    _, layers = load_base()
    rng = np.random.default_rng(3)
    params = {str(i): {k: jnp.asarray(v) for k, v in layers[LAYERS - PRIVATE + i].items()} for i in range(PRIVATE)}
    params["head"] = {
        "dense_w": jnp.asarray(rng.normal(0, (2 * HIDDEN) ** -0.5, (2 * HIDDEN, WIDTH)), jnp.float32), "dense_b": jnp.zeros(WIDTH),
        "out_w": jnp.asarray(rng.normal(0, WIDTH**-0.5, (WIDTH, 3)), jnp.float32), "out_b": jnp.zeros(3),
    }
    train, dev = Features("train"), Features("dev")
    counts = np.bincount(train.labels, minlength=3)
    weights = jnp.asarray(np.sqrt(counts.mean() / counts), jnp.float32)
    steps = len(batches(train.lengths, 1024)) * args.epochs

    @jax.jit
    def step(params, m, v, n, x, mask, labels, real, key):
        def loss(p):
            logp = jax.nn.log_softmax(forward(p, x, mask, key))
            w = weights[labels] * real
            return -(jnp.take_along_axis(logp, labels[:, None], 1)[:, 0] * w).sum() / w.sum()

        value, grads = jax.value_and_grad(loss)(params)
        norm = jnp.sqrt(sum(jnp.square(g).sum() for g in jax.tree.leaves(grads)))
        grads = jax.tree.map(lambda g: g * jnp.minimum(1.0, 1.0 / norm), grads)
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        rate = jnp.minimum(n / (0.06 * steps), (steps - n) / (0.94 * steps))
        scale = {name: args.head_rate if name == "head" else args.layer_rate for name in params}

        def update(name, p, a, b):
            change = (a / (1 - 0.9**n)) / (jnp.sqrt(b / (1 - 0.999**n)) + 1e-8) + (args.decay * p if p.ndim == 2 else 0)
            return p - rate * scale[name] * change

        return {k: jax.tree.map(lambda p, a, b: update(k, p, a, b), params[k], m[k], v[k]) for k in params}, m, v, value

    m = jax.tree.map(jnp.zeros_like, params)
    v = jax.tree.map(jnp.zeros_like, params)
    first, n, best = 0, 0, -1.0
    checkpoint = BUILD / "checkpoint.npz"
    if checkpoint.exists():
        saved = np.load(checkpoint)
        params, m, v = nest(saved, "p:"), nest(saved, "m:"), nest(saved, "v:")
        first, n, best = int(saved["epoch"]), int(saved["n"]), float(saved["best"])
        print("resumed after epoch", first)
    for epoch in range(first, args.epochs):
        began, losses = time.time(), []
        order = np.random.default_rng(epoch)
        todo = batches(train.lengths, 1024, rng=order)
        order.shuffle(todo)
        for index, real, padded in todo:
            n += 1
            x, mask = train.block(index, padded)
            key = jax.random.fold_in(jax.random.PRNGKey(11), n)
            used = (np.arange(len(index)) < real).astype(np.float32)
            params, m, v, value = step(params, m, v, jnp.float32(n), x, mask, train.labels[index], used, key)
            losses.append(float(value))
        logits = logits_of(params, dev)
        guess = logits.argmax(1)
        f1 = f1_score(dev.labels, guess, average="macro")
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, dev accuracy {accuracy_score(dev.labels, guess):.4f}, "
              f"macro-F1 {f1:.4f}, {time.time() - began:.0f} s", flush=True)
        if f1 > best:
            best = f1
            log_loss = lambda t: -np.take_along_axis(np.asarray(jax.nn.log_softmax(logits / t)), dev.labels[:, None], 1).mean()
            temperature = minimize_scalar(log_loss, bounds=(0.5, 5), method="bounded").x
            np.savez(BUILD / "sentiment.npz", temperature=temperature, epoch=epoch + 1, dev_f1=f1, **flat(params))
            print(f"  best so far; temperature {temperature:.3f}", flush=True)
        np.savez(BUILD / "checkpoint.tmp.npz", epoch=epoch + 1, n=n, best=best, **flat(params, "p:"), **flat(m, "m:"), **flat(v, "v:"))
        (BUILD / "checkpoint.tmp.npz").replace(checkpoint)


if __name__ == "__main__":
    main()
