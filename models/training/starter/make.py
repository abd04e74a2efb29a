#!/usr/bin/env python3
"""From nothing to a model: text → speech → training → ggml → word error. Stages that are done are skipped.

  make.py --work-dir W --assets FOLDER [--real FOLDER] [--warm-start weights.pt] [--until TIME | --audio-hours 170]
  make.py --work-dir W --assets FOLDER --tiny        the whole way in a few minutes; the model is of no use

Stop it at any time and start it again with the same arguments: finished shards stay, the training goes on from its last
checkpoint. README.md says what is needed and how long it takes."""

import argparse
import datetime
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SPEECH_SETS = HERE.parents[1] / "evaluation" / "make_speech_sets.py"
ASSETS = ("gpt2.tiktoken", "mel_filters.npz")
TINY = dict(sentences=400, training_minutes=2.0)


def run(script: pathlib.Path, *arguments):
    """One stage in a process of its own; freed memory stays in the process (page faults cost up to 40 % of a step)."""
    environment = os.environ | {
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TOP_PAD_": str(2**29),
        "GOMP_SPINCOUNT": "20000",
    }
    command = [sys.executable, "-W", "ignore", str(script), *map(str, arguments)]
    print("$", script.name, *arguments, flush=True)
    subprocess.run(command, check=True, env=environment)


def find_assets(work: pathlib.Path, source: pathlib.Path | None):
    (work / "assets").mkdir(parents=True, exist_ok=True)
    for name in ASSETS:
        target = work / "assets" / name
        if target.exists():
            continue
        found = next(source.rglob(name), None) if source else None
        if not found:
            raise SystemExit(
                f"{name} is missing; hint: unpack the openai-whisper source package and give it as --assets"
            )
        shutil.copy(found, target)
    if not (work / "inventory.json").exists():
        shutil.copy(HERE / "inventory.json", work / "inventory.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", required=True, type=pathlib.Path)
    parser.add_argument(
        "--assets", type=pathlib.Path, help="folder with gpt2.tiktoken and mel_filters.npz somewhere in it"
    )
    parser.add_argument("--real", type=pathlib.Path, help="folder with sets of real customer-service sentences")
    parser.add_argument("--warm-start", type=pathlib.Path, help="weights to start from")
    parser.add_argument("--until", help="local time at which the training ends")
    parser.add_argument("--audio-hours", type=float, default=170.0, help="audio to hear (without --until)")
    parser.add_argument("--learning-rate", type=float, help="default: 9e-4 from scratch, 4e-4 with --warm-start")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="400 template sentences, two minutes of training")
    options = parser.parse_args()
    work = options.work_dir
    find_assets(work, options.assets)

    if not (work / "text.jsonl").exists():
        real = ["--real", options.real] if options.real and not options.tiny else []
        amount = ["--sentences", TINY["sentences"]] if options.tiny else []
        run(HERE / "corpus.py", "--work-dir", work, *real, *amount)

    small = ["--sentences-per-shard", 60] if options.tiny else []
    run(HERE / "synthesise.py", "--work-dir", work, *small)

    model = work / "starter-en.bin"
    done = work / "training-done"
    if not done.exists():
        plan = ["--until", options.until] if options.until else ["--plan-audio-hours", options.audio_hours]
        if options.tiny and not options.until:
            end = datetime.datetime.now() + datetime.timedelta(minutes=TINY["training_minutes"])
            plan = ["--until", end.isoformat(timespec="seconds"), "--new-plan", "--log-seconds", 10]
        start = ["--warm-start", options.warm_start] if options.warm_start else []
        rate = options.learning_rate or (4e-4 if options.warm_start else 9e-4)
        run(HERE / "train.py", "--work-dir", work, *plan, *start, "--learning-rate", rate, "--threads", options.threads)
        done.touch()
    run(HERE / "export.py", "--work-dir", work, "--out", model)

    sets = work / "sets"
    wanted = ["known-voices", "unseen-voices", "no-speech"][: 1 if options.tiny else 3]
    missing = [name for name in wanted if not (sets / name).exists()]
    if missing:
        run(SPEECH_SETS, "--out", sets, "--sets", ",".join(missing), "--build", work / "build")
    folders = [sets / name for name in wanted]
    files = ["--files", 4] if options.tiny else []
    run(HERE / "evaluate.py", "--models", work / "starter-en-q8_0.bin", "--sets", *folders, *files)


if __name__ == "__main__":
    main()
