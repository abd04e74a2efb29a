"""Trains the recogniser, or goes on from the last checkpoint.

  train.py --work-dir W [--warm-start weights.pt] --until 2026-11-25T12:50 | --plan-audio-hours 170

What comes next depends on the share of the plan that is done: audio heard, or, with --until, the time of day, so that the
learning rate has come down when the time is up. The process may be stopped (SIGSTOP) and continued; SIGTERM saves;
kill -9 loses at most --save-minutes. New shards in W/shards are picked up while it runs. The exit status is 0 only at
the plan's end."""

import argparse
import datetime
import json
import os
import pathlib
import queue
import random
import signal
import threading
import time
import traceback

import numpy as np
import torch
import torch.nn.functional as F

from batches import IGNORED, BatchMaker, Mixture, Rows
from network import from_config
from tokens import SPECIAL, Tokens
from windows import Utterances, WindowMaker

SHORT = Mixture((2.4, 3.4, 4.6, 6.0, 7.5), dict(dense=0.42, pack=0.33, one=0.15, silent=0.10), 0.35, 0.06)
MIDDLE = Mixture(
    (9.0, 11.0, 14.0, 20.0),
    dict(dense=0.2, pack=0.66, one=0.04, silent=0.10),
    0.25,
    0.05,
    prompt_share=0.1,
    stampless_share=0.05,
)
LONG = Mixture(
    (30.0,), dict(pack=0.77, dense=0.06, one=0.05, silent=0.12), 0.2, 0.05, prompt_share=0.15, stampless_share=0.0
)
# From scratch: short dense windows teach listening, anywhere in the 30 s; pauses come later.
FIRST = Mixture((2.4, 3.0, 3.6, 4.4, 5.2), dict(dense=0.97, silent=0.03), 0.5, 0.08, random_positions=True)
SECOND = Mixture(
    (4.0, 6.0, 8.0, 10.0, 14.0),
    dict(dense=0.35, pack=0.57, one=0.04, silent=0.04),
    0.35,
    0.06,
    random_positions=True,
    prompt_share=0.15,
)
LAST_STAGE = [(SHORT, 0.42), (MIDDLE, 0.35), (LONG, 0.23)]  # shares of the audio
FROM_SCRATCH = [(0.5, [(FIRST, 1.0)]), (0.75, [(SECOND, 1.0)]), (1.0, LAST_STAGE)]
FROM_WEIGHTS = [(1.0, LAST_STAGE)]

EMA_EVERY_STEPS = 8
NEVER = -1e4


class Plan:
    """How far the training is, and the learning rate there."""

    def __init__(self, options: argparse.Namespace, warm: bool, began: float | None):
        self.audio_s = options.plan_audio_hours * 3600 if options.plan_audio_hours else None
        self.until = datetime.datetime.fromisoformat(options.until).timestamp() if options.until else None
        self.began = began or time.time()
        self.peak, self.stages = options.learning_rate, FROM_WEIGHTS if warm else FROM_SCRATCH
        self.constant_share = 0.15 if warm else 0.3

    def done(self, audio_s: float) -> float:
        if self.until:
            return (time.time() - self.began) / max(1.0, self.until - self.began)
        return audio_s / self.audio_s

    def learning_rate(self, step: int, done: float) -> float:
        """Warm-up, a constant stretch, then a cosine down to nothing."""
        falling = max(0.0, done - self.constant_share) / (1 - self.constant_share)
        return self.peak * min(1.0, (step + 1) / 150) * max(0.01, 0.5 + 0.5 * np.cos(np.pi * min(1.0, falling)))

    def mixture(self, done: float, rng: random.Random) -> Mixture:
        stage = next((mixtures for end, mixtures in self.stages if done < end), self.stages[-1][1])
        return rng.choices([mixture for mixture, _ in stage], [share for _, share in stage])[0]


class Training:
    """Everything that a checkpoint holds."""

    def __init__(self, options: argparse.Namespace):
        self.work, self.options = pathlib.Path(options.work_dir), options
        self.checkpoint = self.work / "checkpoint.pt"
        inventory = json.loads((self.work / "inventory.json").read_text())
        self.phones = inventory["R"] + inventory["E"]
        self.first_espeak_phone = len(inventory["R"])
        resumed = self.checkpoint.exists()
        source = self.checkpoint if resumed else options.warm_start
        saved = torch.load(source, map_location="cpu", weights_only=False) if source else {}
        self.warm = saved["warm"] if resumed else bool(source)
        self.config = saved.get("cfg") or dict(d=192, h=3, ne=4, nd=3, used=[], nphone=len(self.phones))
        weights = saved["model"] if resumed else saved.get("ema") or saved.get("model") or {}
        self._add_tokens(weights)
        self.network = from_config(self.config)
        report = self.network.load_state_dict(weights, strict=False)
        if weights and (report.missing_keys or report.unexpected_keys):
            print("weights:", report)
        self.rows = Rows.of(self.config["used"])
        self.special_rows = torch.tensor(self.rows.special)
        self.optimiser = self._optimiser()
        self.step = self.audio_s = 0
        self.history: list[dict] = []
        self.rng, self.noise = random.Random(options.seed), np.random.default_rng(options.seed)
        self.plan = Plan(options, self.warm, saved.get("began") if resumed and not options.new_plan else None)
        self.average = {name: value.clone() for name, value in self._floats().items()}
        if resumed:
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step, self.audio_s, self.history = saved["step"], saved["audio_s"], saved["history"]
            self.rng.setstate(saved["rng"][0])
            self.noise.bit_generator.state = saved["rng"][1]
            self.average = saved["ema"]

    def _floats(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in self.network.state_dict().items() if value.dtype.is_floating_point}

    def _add_tokens(self, weights: dict):
        """Text tokens of W/tokens.json that the weights do not know get rows behind the old ones."""
        used = self.config["used"]
        wanted = json.loads((self.work / "tokens.json").read_text()) + (SPECIAL if not used else [])
        new = [token for token in wanted if token not in set(used)]
        self.config["used"] = used + new
        if new and "decoder.emb" in weights:
            old = weights["decoder.emb"]
            fresh = torch.randn(len(new), old.shape[1]) * 0.02 + old.mean(0)
            weights["decoder.emb"] = torch.cat([old, fresh])

    def _optimiser(self) -> torch.optim.Optimizer:
        decayed, free = [], []
        for name, parameter in self.network.named_parameters():
            is_table = "emb" in name or "ts_" in name
            (free if parameter.ndim < 2 or is_table else decayed).append(parameter)
        groups = [dict(params=decayed, weight_decay=0.02), dict(params=free, weight_decay=0.0)]
        return torch.optim.AdamW(groups, lr=self.options.learning_rate, betas=(0.9, 0.98), fused=True)

    @torch.no_grad()
    def update_average(self):
        live = self._floats()
        share = (
            max(self.options.average_share, 1 / (1 + self.step / EMA_EVERY_STEPS))
            if not self.warm
            else self.options.average_share
        )
        torch._foreach_lerp_(list(self.average.values()), [live[name] for name in self.average], share)

    def save(self):
        content = dict(
            cfg=self.config, model=self.network.state_dict(), ema=self.average, optimiser=self.optimiser.state_dict(),
            step=self.step, audio_s=self.audio_s, history=self.history, began=self.plan.began, warm=self.warm,
            rng=(self.rng.getstate(), self.noise.bit_generator.state),
        )  # fmt: skip
        temporary = self.checkpoint.with_suffix(".tmp")
        torch.save(content, temporary)
        os.replace(temporary, self.checkpoint)

    # ---------------------------------------------------------------- one step
    def losses(self, batch: dict) -> tuple[torch.Tensor, dict[str, float]]:
        """The answer's cross-entropy, and three helpers: phone and word at a position, and where to look."""
        tensors = {name: torch.from_numpy(value) for name, value in batch.items() if isinstance(value, np.ndarray)}
        audio = self.network.encoder(tensors["mel"], tensors.get("first_positions"))
        flat = audio.reshape(-1, audio.shape[-1])

        # espeak-ng's phones and the others' are separate label sets: one softmax each.
        labels = tensors["phones"].view(-1)
        of_espeak = (labels >= self.first_espeak_phone)[:, None]
        columns = torch.arange(len(self.phones))[None] >= self.first_espeak_phone
        phone_loss = F.cross_entropy(self.network.phone(flat).masked_fill(of_espeak != columns, NEVER), labels)

        logits, attention = self.network.decoder(tensors["given"], audio)
        expected = tensors["expected"]
        text_loss = F.cross_entropy(logits.flatten(0, 1), expected.flatten(), ignore_index=IGNORED)

        heard = tensors["heard_words"]
        word_logits = self.network.wproj(flat[heard[:, 0]]) @ self.network.decoder.emb.t()
        word_logits = word_logits.index_fill(1, self.special_rows, NEVER)
        word_loss = F.cross_entropy(word_logits, heard[:, 1])

        where = tensors["where"]
        has_place = (where.amax(-1) > 0).float()
        look_loss = 0.0
        for weights in attention:  # two of the three heads are led, one is free
            mass = (weights[:, :2].mean(1) * where).sum(-1)
            look_loss = look_loss - ((mass + 1e-3).log() * has_place).sum() / has_place.sum().clamp(min=1)
        loss = text_loss + self.options.helper_weight * (phone_loss + word_loss + 0.5 * look_loss / len(attention))

        with torch.no_grad():
            right = logits.argmax(-1) == expected
            is_text = (expected >= 0) & (expected < self.rows.first_stamp) & ~torch.isin(expected, self.special_rows)
            is_stamp = expected >= self.rows.first_stamp
            is_end = expected == self.rows.end_of_text
            share = lambda mask: (right & mask).sum().item() / max(1, mask.sum().item())
            report = dict(
                loss=text_loss.item(), phone=phone_loss.item(), word=word_loss.item(), look=float(look_loss),
                text_right=share(is_text), stamp_right=share(is_stamp), end_right=share(is_end),
                word_right=(word_logits.argmax(1) == heard[:, 1]).float().mean().item(),
            )  # fmt: skip
        return loss, report

    def train_on(self, batch: dict) -> dict[str, float]:
        done = self.plan.done(self.audio_s)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.learning_rate(self.step, done)
        loss, report = self.losses(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.audio_s += batch["audio_s"]
        if self.step % EMA_EVERY_STEPS == 0:
            self.update_average()
        return report


def feed(training: Training, batches: BatchMaker, utterances: Utterances, ready: queue.Queue, stop: threading.Event):
    """Makes batches ahead of the training."""
    scanned = time.time()
    while not stop.is_set():
        try:
            if time.time() - scanned > 60:
                utterances.scan()
                scanned = time.time()
            mixture = training.plan.mixture(training.plan.done(training.audio_s), training.rng)
            batch = batches.make(mixture, training.options.batch_seconds)
        except Exception:
            traceback.print_exc()
            stop.set()
            return
        while not stop.is_set():
            try:
                ready.put(batch, timeout=1)
                break
            except queue.Full:
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", required=True)
    parser.add_argument("--warm-start", help="weights to start from (weights.pt or a checkpoint)")
    parser.add_argument("--until", help="local time at which the plan ends, such as 2026-11-25T12:50")
    parser.add_argument("--plan-audio-hours", type=float, help="audio heard at which the plan ends")
    parser.add_argument("--new-plan", action="store_true", help="begin a plan from the checkpoint's weights")
    parser.add_argument("--engine-shares", default="espeak:.52,flite:.33,festival:.15")
    parser.add_argument("--learning-rate", type=float, default=9e-4)
    parser.add_argument("--helper-weight", type=float, default=0.7, help="weight of the phone, word and place losses")
    parser.add_argument("--average-share", type=float, default=0.03, help="how fast the exported average follows")
    parser.add_argument("--batch-seconds", type=float, default=60.0)
    parser.add_argument("--save-minutes", type=float, default=3.0)
    parser.add_argument("--log-seconds", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not (options.until or options.plan_audio_hours):
        parser.error("give --until or --plan-audio-hours")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    training = Training(options)
    row_of_token = {token: row for row, token in enumerate(training.config["used"])}
    shares = {engine: float(share) for engine, share in (part.split(":") for part in options.engine_shares.split(","))}
    utterances = Utterances(training.work / "shards", Tokens(training.work / "assets"), row_of_token, shares)
    silence = training.phones.index("E:_"), training.phones.index("R:pau")
    batches = BatchMaker(WindowMaker(utterances, training.rng, training.noise), training.rows, silence)
    print(
        f"{utterances.hours:.1f} h of speech, {utterances.left_out} utterances left out, step {training.step}",
        flush=True,
    )

    stop, ready = threading.Event(), queue.Queue(maxsize=3)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    feeder = threading.Thread(target=feed, args=(training, batches, utterances, ready, stop), daemon=True)
    feeder.start()
    logged = saved = time.time()
    logged_audio_s, reports = training.audio_s, []
    while not stop.is_set() and training.plan.done(training.audio_s) < 1:
        try:
            batch = ready.get(timeout=5)
        except queue.Empty:
            continue
        reports.append(training.train_on(batch))
        now = time.time()
        if now - logged > options.log_seconds:
            mean = {name: round(float(np.mean([report[name] for report in reports])), 3) for name in reports[0]}
            done = training.plan.done(training.audio_s)
            rate = training.plan.learning_rate(training.step, done)
            training.history.append(dict(step=training.step, audio_h=round(training.audio_s / 3600, 2), **mean))
            speed = (training.audio_s - logged_audio_s) / (now - logged)
            text = " ".join(f"{name} {value}" for name, value in training.history[-1].items())
            print(
                f"{text} | rate {rate:.1e}, {speed:.0f} audio s/s, plan {done:.1%}, {utterances.hours:.1f} h",
                flush=True,
            )
            logged, logged_audio_s, reports = now, training.audio_s, []
        if now - saved > options.save_minutes * 60:
            training.save()
            saved = now
    stop.set()
    feeder.join(timeout=30)
    training.save()
    print(f"saved at step {training.step}, {training.audio_s / 3600:.2f} h of audio heard", flush=True)
    if training.plan.done(training.audio_s) < 1:
        raise SystemExit("stopped before the plan's end; hint: the same command goes on from here")


if __name__ == "__main__":
    main()
