#!/usr/bin/env python3
"""Makes the two sets that the starter's confidence floor is calibrated on: speech of people, and synthetic calls.

  make_confidence_sets.py --real FOLDER --sentences sentences-unseen.jsonl --out DIR [--calls 48] [--seed 1]

real/   disjoint 60 s pieces of recordings (16 kHz, one channel each); short files of one folder are joined.
call/   two-party calls (stereo, 8 kHz µ-law, noise at 20 to 30 dB) with reference words in NAME.txt, one line a channel.
Needs sox, ffmpeg, espeak-ng, flite, festival (text2wave). Uses the standard library only; the same seed makes the same
calls with the same versions of these programs."""
import argparse, json, pathlib, random, subprocess, sys, tempfile

ESPEAK_KNOWN = ["m1", "m3", "m7", "f1", "f2", "f5", "Andrea", "Lee", "Michael", "adam", "belinda", "steph"]
ESPEAK_NEW = ["m6", "f4", "Annie", "benjamin", "klatt3", "linda"]
FLITE_KNOWN, FLITE_NEW = ["slt", "awb", "kal16"], ["rms"]
NOT_SPEECH = ("RIRs__", "noise__")
SYNTHETIC = ("ms_ckm_synthetic_calls", "Sample")  # text to speech, by their own description


def run(*command, text=None):
    subprocess.run([str(part) for part in command], input=text, check=True, capture_output=True)


def seconds(path):
    return float(subprocess.run(["soxi", "-D", str(path)], check=True, capture_output=True, text=True).stdout)


def real_pieces(source, out, work):
    """Every recording of people, channel by channel, cut into 60 s; what is left of a folder is joined."""
    out.mkdir(parents=True, exist_ok=True)
    count, groups = 0, {}
    files = [f for f in sorted(source.rglob("*")) if f.suffix in (".wav", ".mp3", ".flac")]
    files = [f for f in files if not f.name.startswith(NOT_SPEECH) and not any(part.startswith(SYNTHETIC) for part in f.parts)]
    for file in files:
        plain = work / "plain.wav"
        if subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", file, plain], capture_output=True).returncode != 0:
            print("left out", file.name, file=sys.stderr)
            continue
        channels = int(subprocess.run(["soxi", "-c", plain], check=True, capture_output=True, text=True).stdout)
        # Speakers are told apart by folder, and by the speaker's name in the digits' file names.
        group = file.parent.name + ("-" + file.stem.split("_")[1] if "fsdd" in str(file) and "_" in file.stem else "")
        for channel in range(min(channels, 2)):
            one = work / f"one-{len(groups)}-{count}-{len(groups.get(group, []))}-{channel}.wav"
            run("sox", plain, "-b", "16", one, "remix", channel + 1, "rate", "16000")
            groups.setdefault(group, []).append((seconds(one), one, file.stem))
    for group, parts in sorted(groups.items()):
        whole = work / "whole.wav"
        run("sox", *[path for _, path, _ in parts], whole)
        for index in range(int(seconds(whole) // 60) + (1 if seconds(whole) % 60 >= 40 else 0)):
            run("sox", whole, out / f"{group}-{index:02}.wav", "trim", index * 60, 60)
            count += 1
    print(count, "pieces of real speech")


def speak(engine, voice, text, path, rng):
    if engine == "espeak":
        run("espeak-ng", "-v", f"en-us+{voice}", "-s", rng.choice([150, 165, 180]), "-w", path, text)
    elif engine == "flite":
        run("flite", "-voice", voice, "-t", text, "-o", path)
    else:
        run("text2wave", "-o", path, text=text.encode())


def make_call(index, sentences, out, work, rng):
    engines = [("espeak", ESPEAK_KNOWN), ("espeak", ESPEAK_NEW), ("espeak", ESPEAK_NEW), ("flite", FLITE_KNOWN), ("flite", FLITE_NEW), ("festival", ["kal"])]
    sides = [engines[index % len(engines)], engines[(index * 5 + 1) % len(engines)]]
    sides = [(engine, voices[(index // 2 + side) % len(voices)]) for side, (engine, voices) in enumerate(sides)]
    tracks, words, length, side = [[], []], [[], []], 0.0, 0
    while length < 60:
        said = [rng.choice(sentences) for _ in range(rng.choice([1, 1, 2, 3]))]
        speech, gap = work / f"s{len(tracks[0])}.wav", rng.uniform(.3, 1.2)
        raw = work / "raw.wav"
        speak(*sides[side], " ".join(line["spoken"] for line in said), raw, rng)
        run("sox", raw, "-b", "16", speech, "rate", "8000", "channels", "1", "norm", "-4", "pad", f"{gap:.3f}")
        silence = work / f"q{len(tracks[0])}.wav"
        run("sox", "-D", speech, silence, "vol", "0")
        tracks[side].append(speech)
        tracks[1 - side].append(silence)
        words[side] += [line["text"] for line in said]
        length, side = length + seconds(speech), 1 - side
    mono = []
    for channel in (0, 1):
        clean, noise, mixed = (work / f"{name}{channel}.wav" for name in ("clean", "noise", "mixed"))
        run("sox", *tracks[channel], clean, "highpass", "300", "lowpass", "3400")
        snr = rng.uniform(20, 30)
        run("sox", "-n", "-r", "8000", "-b", "16", noise, "synth", seconds(clean), rng.choice(["pinknoise", "whitenoise"]), "vol", 10 ** ((-20 - snr) / 20) * 2)
        run("sox", "-m", "-v", "0.9", clean, "-v", "1", noise, mixed)
        mono.append(mixed)
    name = f"call-{index:02}-" + "-".join(f"{engine}.{voice}" for engine, voice in sides)
    run("sox", "-M", *mono, "-e", "u-law", out / f"{name}.wav")
    (out / f"{name}.txt").write_text("\n".join(" ".join(side) for side in words) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--real", "--sentences", "--out"):
        arguments.add_argument(name, required=True, type=pathlib.Path)
    arguments.add_argument("--calls", type=int, default=48)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    sentences = [json.loads(line) for line in options.sentences.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        real_pieces(options.real, options.out / "real", work)
        (options.out / "call").mkdir(parents=True, exist_ok=True)
        for index in range(options.calls):
            make_call(index, sentences, options.out / "call", work, rng)
        print(options.calls, "synthetic calls")


main()
