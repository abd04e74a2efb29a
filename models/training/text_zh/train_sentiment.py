"""Step 4: trains the sentiment branch (its own last layer, in 4 bits from the start, and a head) on the cached features.

Resumable: build/sentiment_checkpoint.pt after every epoch. The epoch with the best macro-F1 on the tuning show is kept in
build/sentiment.npz, with the temperature that minimises that show's log loss. The test sets are not read here.
`--share 0.25` trains on a quarter of the dialogues (learning curve; writes sentiment_0.25.npz).
"""

import argparse
import json
import time

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import nn

from base import Base
from common import BUILD, HIDDEN, LABELS, SENTIMENT_FROM, Layer, batches, mean
from features import Features
from measures import accuracy, macro_f1

WIDTH = 128
REPEAT = {"cped": 1, "weak": 1, "calls": 3}
WEIGHT = {"cped": 1.0, "weak": 0.4, "calls": 1.0}


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        base = Base()
        self.layers = nn.ModuleList(Layer(base.layer(i)) for i in SENTIMENT_FROM)
        self.dense, self.out = nn.Linear(2 * HIDDEN, WIDTH), nn.Linear(WIDTH, 3)

    def forward(self, x, mask, dropout=0.0):
        x = F.dropout(x, dropout, self.training)
        for layer in self.layers:
            x = layer(x, mask)
        pooled = torch.cat([mean(x, mask), x.masked_fill(~mask[:, :, None], -1e4).amax(1)], 1)
        hidden = torch.tanh(self.dense(F.dropout(pooled, 2 * dropout, self.training)))
        return self.out(F.dropout(hidden, 2 * dropout, self.training))


def logits_of(model, features):
    model.eval()
    out = np.zeros((len(features.lengths), 3), np.float32)
    with torch.inference_mode():
        for index in batches(features.lengths, 4096):
            out[index] = model(*features.block(index)).numpy()
    return out


def temperature_for(logits, labels):
    loss = lambda t: F.cross_entropy(torch.tensor(logits) / t, torch.tensor(labels)).item()
    return float(minimize_scalar(loss, bounds=(0.4, 5), method="bounded").x)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--epochs", type=int, default=4)
    args.add_argument("--rate", type=float, default=1e-4)
    args.add_argument("--share", type=float, default=1.0)
    args.add_argument("--balance", type=float, default=0.5, help="power of the inverse class frequency")
    args.add_argument("--name", default="", help="of the files, for trials")
    args.add_argument("--seed", type=int, default=3)
    args = args.parse_args()
    torch.manual_seed(args.seed)
    suffix = args.name + ("" if args.share == 1 else f"_{args.share}")

    sets, labels, sources = [], [], []
    for name in ["train", "calls"]:
        rows = json.load(open(BUILD / f"{name}.json"))
        sets.append(Features(name))
        labels += [r["label"] for r in rows]
        sources += [r["source"] for r in rows]
    train = sets[0]
    train.x = np.concatenate([s.x for s in sets])
    train.lengths = np.concatenate([s.lengths for s in sets])
    train.starts = np.concatenate([[0], np.cumsum(train.lengths)])
    labels, sources = np.array(labels), np.array(sources)
    use = np.concatenate([np.flatnonzero(sources == s).repeat(n) for s, n in REPEAT.items()])
    if args.share < 1:
        # Rows come twice, one after the other, in the order of the shows: whole stretches of them.
        people = np.flatnonzero(sources == "cped")
        kept = people[(people // 200) % 20 < args.share * 20]
        use = np.concatenate([kept, use[sources[use] != "cped"]])
    counts = np.bincount(labels[use], minlength=3)
    class_weight = (counts.mean() / counts) ** args.balance
    weight = torch.tensor([class_weight[l] * WEIGHT[s] for l, s in zip(labels, sources)], dtype=torch.float32)
    tune, tune_labels = Features("tune"), np.array([r["label"] for r in json.load(open(BUILD / "tune.json"))])

    model = Sentiment()
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2]
    vectors = [p for n, p in model.named_parameters() if p.ndim == 1]
    head = {id(p) for m in (model.dense, model.out) for p in m.parameters()}
    groups = [{"params": [p for p in part if (id(p) in head) == is_head], "lr": args.rate * (8 if is_head else 1), "weight_decay": decay}
              for part, decay in ((matrices, 0.02), (vectors, 0.0)) for is_head in (False, True)]
    optimiser = torch.optim.AdamW(groups)
    steps = args.epochs * len(batches(train.lengths[use], 2048))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: min((n + 1) / (0.06 * steps), max(0.02, (steps - n) / (0.94 * steps))))
    first, best, checkpoint = 0, -1.0, BUILD / f"sentiment_checkpoint{suffix}.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"]), optimiser.load_state_dict(saved["optimiser"]), schedule.load_state_dict(saved["schedule"])
        first, best = saved["epoch"], saved["best"]
    for epoch in range(first, args.epochs):
        model.train()
        began, losses = time.time(), []
        for n, batch in enumerate(batches(train.lengths[use], 2048, np.random.default_rng(epoch))):
            index = use[batch]
            x, mask = train.block(index)
            loss = F.cross_entropy(model(x, mask, 0.1), torch.as_tensor(labels[index]), reduction="none", label_smoothing=0.05)
            loss = (loss * weight[index]).sum() / weight[index].sum()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step(), schedule.step()
            losses.append(loss.item())
            if n % 40 == 0:
                print(f"  {n} of {steps // args.epochs}, {time.time() - began:.0f} s, loss {np.mean(losses[-40:]):.3f}", flush=True)
        logits = logits_of(model, tune)
        f1 = macro_f1(tune_labels, logits.argmax(1))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, tuning accuracy {accuracy(tune_labels, logits.argmax(1)):.4f}, "
              f"macro-F1 {f1:.4f}, {time.time() - began:.0f} s; guesses {np.bincount(logits.argmax(1), minlength=3) / len(logits)}", flush=True)
        if f1 > best:
            best = f1
            values = {k: v.detach().numpy() for k, v in model.state_dict().items()}
            np.savez(BUILD / f"sentiment{suffix}.npz", temperature=temperature_for(logits, tune_labels), tune_f1=f1, epoch=epoch + 1, **values)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "epoch": epoch + 1, "best": best}, checkpoint)
    print(f"best {best:.4f} of {LABELS}")


if __name__ == "__main__":
    main()
