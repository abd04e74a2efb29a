"""Runs every engine over one set in turns, several rounds, and prints wall-clock, CPU, memory and word error rate.

    measure.py SET --work WORK [--weights starter] [--engines NAME…] [--rounds 3] [--threads 1] [--json FILE]

WORK is what `run` prepares. The engines start as programs and load their model once per set. The figures are medians
over the rounds; CPU is user + system of the program and its children; memory is the largest sum of resident memory
over the program and its children, looked at 20 times a second.
"""
import argparse
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import jiwer
import psutil
from whisper_normalizer.english import EnglishTextNormalizer

HERE = Path(__file__).parent
NORMALISE = EnglishTextNormalizer()


class Bench:
    def __init__(self, arguments):
        self.work, self.set, self.threads = arguments.work.resolve(), arguments.set.resolve(), arguments.threads
        self.weights = self.work / "weights" / arguments.weights
        self.model = next(self.weights.glob("*.bin"))
        self.references = json.loads((self.set / "references.json").read_text())
        self.scratch = self.work / "scratch"
        self.channels = []

    def fresh(self, name):
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def split(self):
        """One 16 kHz file per channel, as the peers need it."""
        folder = self.fresh("split")
        script = []
        for name in self.references:
            tracks = [f"-map [{side}] -ar 16000 -c:a pcm_s16le {folder}/{name}.{side}.wav" for side in (0, 1)]
            script.append(f"ffmpeg -v error -threads 1 -i {self.set}/{name}.wav "
                          f"-filter_complex channelsplit[0][1] {' '.join(tracks)}")
        self.channels = [str(folder / f"{name}.{side}.wav") for name in self.references for side in (0, 1)]
        return ["sh", "-ec", "\n".join(script)], dict

    def whisper_cpp(self, *options, build="build"):
        # Its text files lie beside the sound.
        command = [self.work / build / "bin/whisper-cli", "-m", self.model, "-l", "en", "-t", str(self.threads),
                   "-otxt", *options, *self.channels]
        return command, lambda: {Path(file).stem: Path(file + ".txt").read_text() for file in self.channels}

    def whisper_cpp_vad(self, *options):
        vad = self.work / "whisper.cpp/models/for-tests-silero-v6.2.0-ggml.bin"
        return self.whisper_cpp("--vad", "-vm", vad, "-bs", "1", "-bo", "1", *options)

    def python_engine(self, engine, model, *options):
        out = self.fresh(engine) / "texts.json"
        command = [sys.executable, HERE / "python_engine.py", engine, self.weights / model, out,
                   "--threads", str(self.threads), *options, *self.channels]
        return command, lambda: json.loads(out.read_text())

    def callmark(self, program="callmark"):
        out = self.fresh(program)
        command = [self.work / program, "run", self.set, "--store", out / "store.db", "--out", out / "out",
                   "--model", self.model, "--channels", "rep=0,customer=1", "--jobs", str(self.threads), "--json"]

        def texts():
            channels = {f"{name}.{side}": "" for name in self.references for side in (0, 1)}
            with open(out / "out/turns.csv") as turns:
                for turn in csv.DictReader(turns):
                    channels[f"{turn['call_id']}.{int(turn['role'] != 'rep')}"] += turn["text"] + " "
            return channels

        return command, texts

    def engines(self):
        named = {
            "callmark": self.callmark,
            "whisper.cpp, defaults": lambda: self.whisper_cpp(build="build-plain"),
            "whisper.cpp, defaults, blocked products": self.whisper_cpp,
            "whisper.cpp, VAD, greedy": self.whisper_cpp_vad,
            "whisper.cpp, VAD, greedy, no fallback": lambda: self.whisper_cpp_vad("-nf"),
            "faster-whisper int8, batched, VAD, greedy":
                lambda: self.python_engine("faster-whisper", "ctranslate2", "--beam", "1"),
            "faster-whisper int8, batched, VAD, beam 5":
                lambda: self.python_engine("faster-whisper", "ctranslate2", "--beam", "5"),
            "faster-whisper int8, batched, VAD, greedy, 7 s a window":
                lambda: self.python_engine("faster-whisper", "ctranslate2", "--beam", "1", "--chunk", "7"),
            "openai-whisper, defaults":
                lambda: self.python_engine("openai-whisper", "openai.pt", "--beam", "5"),
            "openai-whisper, greedy":
                lambda: self.python_engine("openai-whisper", "openai.pt", "--beam", "1"),
        }
        for program in sorted(self.work.glob("callmark-*")):
            named[program.name] = lambda program=program: self.callmark(program.name)
        return named

    def run(self, command):
        """Wall-clock seconds, CPU seconds, peak memory in MiB, standard output."""
        # The limit, too: whisper.cpp's voice activity asks for four threads whatever its -t says.
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "MKL_NUM_THREADS")}
        environment = os.environ | threads | {"HF_HUB_OFFLINE": "1"}
        log = self.scratch / "log"
        begin = time.monotonic()
        with open(log, "w") as output:
            # callmark finds its models from where it starts.
            process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT,
                                       env=environment, cwd=environment.get("CALLMARK_ROOT"))
        peak = [0]

        def watch():
            tree = psutil.Process(process.pid)
            while process.returncode is None:
                try:
                    programs = [tree, *tree.children(recursive=True)]
                    peak[0] = max(peak[0], sum(program.memory_info().rss for program in programs))
                except psutil.Error:
                    pass
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        output = log.read_text()
        # 2: callmark could not score some recordings
        if process.returncode not in (0, 2):
            raise SystemExit(f"{command[0]} ended with {process.returncode}\n{output[-2000:]}")
        return wall, usage.ru_utime + usage.ru_stime, peak[0] / 2**20, output

    def word_error(self, texts):
        pairs = [(NORMALISE(text), NORMALISE(texts.get(f"{name}.{side}", "")))
                 for name, reference in self.references.items() for side, text in enumerate(reference["texts"])]
        return jiwer.wer([said for said, _ in pairs], [heard for _, heard in pairs])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", default="starter")
    parser.add_argument("--engines", nargs="+", help="the beginnings of their names; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-words", action="store_true", help="weights that recognise nothing: no word error rate")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bench = Bench(arguments)
    engines = bench.engines()
    if arguments.engines:
        engines = {name: make for name, make in engines.items() if name.startswith(tuple(arguments.engines))}
    split = bench.run(bench.split()[0])
    runs, rates, stages = {name: [] for name in engines}, {}, {}
    for _ in range(arguments.rounds):
        for name, make in engines.items():
            command, texts = make()
            *figures, output = bench.run(command)
            runs[name].append(figures)
            print(f"  {name}: {figures[0]:.1f} s wall, {figures[1]:.1f} s CPU", file=sys.stderr, flush=True)
            if not arguments.no_words:
                rates[name] = bench.word_error(texts())
            if found := re.search(r'"stage_seconds": (\{.*?\})', output, re.DOTALL):
                stages.setdefault(name, []).append(json.loads(found[1]))

    middle = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in runs.items()}
    base = middle.get("callmark")
    audio_s = sum(len(Path(file).read_bytes()) for file in bench.channels) / 2 / 32000
    print(f"\n{arguments.weights}, {bench.set.name}: {audio_s:.0f} s of calls, {arguments.threads} thread(s), "
          f"medians of {arguments.rounds} alternating rounds; "
          f"splitting the channels: {split[0]:.1f} s wall, {split[1]:.1f} s CPU")
    print("| engine | wall s | CPU s | wall ÷ callmark's | CPU ÷ callmark's | peak MiB "
          "| call-hours per core-hour | WER % |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (wall, cpu, memory) in middle.items():
        ratios = [f"{value / of:.2f}" if base else "" for value, of in zip((wall, cpu), base or (1, 1))]
        rate = f"{100 * rates[name]:.1f}" if name in rates else ""
        cells = [name, f"{wall:.1f}", f"{cpu:.1f}", *ratios, f"{memory:.0f}", f"{audio_s / cpu:.1f}", rate]
        print(f"| {' | '.join(cells)} |")
    for name, rows in stages.items():
        print(f"{name}, seconds by stage: "
              + ", ".join(f"{stage} {statistics.median(row[stage] for row in rows):.2f}" for stage in rows[0]))
    if arguments.json:
        result = {"runs": runs, "wer": rates, "stages": stages, "split": split[:3]}
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
