"""Step 5: teaches the embedding's own layers (in 4 bits from the start) to give what the whole base gives.

The target is the base's unit vector minus the mean of all of them, at unit length: the base's own similarities of unrelated
sentences lie at 0.85, centred they lie at 0. The small encoder reads the text as a recogniser may have written it. Loss:
1 - cosine, and the difference of all similarities inside a batch. Resumable: build/embedding_checkpoint.pt.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn

from base import Base
from common import BUILD, EMBEDDING_FROM, HIDDEN, Layer, batches, mean
from features import Features


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        base = Base()
        self.layers = nn.ModuleList(Layer(base.layer(i)) for i in EMBEDDING_FROM)
        self.centre = nn.Parameter(torch.zeros(HIDDEN))

    def forward(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
        return nn.functional.normalize(mean(x, mask) - self.centre, dim=1)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--epochs", type=int, default=3)
    args.add_argument("--rate", type=float, default=3e-4)
    args = args.parse_args()
    torch.manual_seed(5)
    target = np.load(BUILD / "teacher.npz")["x"]
    target -= target.mean(0)
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    data = Features("distil")
    # The first rows of a shuffled order are held out, to see progress.
    held = np.random.default_rng(1).permutation(len(target))[:300]
    use = np.setdiff1d(np.arange(len(target)), held)
    model = Embedding()
    with torch.no_grad():
        x, mask = data.block(held[:100])
        for layer in model.layers:
            x = layer(x, mask)
        model.centre.copy_(mean(x, mask).mean(0))
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01)
    steps = args.epochs * len(batches(data.lengths[use], 2048))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: min((n + 1) / (0.06 * steps), max(0.02, (steps - n) / (0.94 * steps))))
    first, checkpoint = 0, BUILD / "embedding_checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"]), optimiser.load_state_dict(saved["optimiser"]), schedule.load_state_dict(saved["schedule"])
        first = saved["epoch"]
    for epoch in range(first, args.epochs):
        model.train()
        began, losses = time.time(), []
        for n, batch in enumerate(batches(data.lengths[use], 2048, np.random.default_rng(epoch))):
            index = use[batch]
            x, mask = data.block(index)
            wanted, got = torch.as_tensor(target[index]), model(x, mask)
            loss = (1 - (wanted * got).sum(1)).mean() + 3 * (wanted @ wanted.T - got @ got.T).square().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step(), schedule.step()
            losses.append(loss.item())
            if n % 20 == 0:
                print(f"  {n} of {steps // args.epochs}, {time.time() - began:.0f} s, loss {np.mean(losses[-20:]):.4f}", flush=True)
        model.eval()
        with torch.inference_mode():
            near = [(model(*data.block(i)).numpy() * target[i]).sum(1) for i in np.array_split(held, 10)]
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, cosine to the base on 300 held-out texts {np.concatenate(near).mean():.4f}, "
              f"{time.time() - began:.0f} s", flush=True)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(), "epoch": epoch + 1}, checkpoint)
        np.savez(BUILD / "embedding.npz", **{k: v.detach().numpy() for k, v in model.state_dict().items()})


if __name__ == "__main__":
    main()
