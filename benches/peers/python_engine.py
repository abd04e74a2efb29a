"""faster-whisper or openai-whisper over 16 kHz one-channel files: {"file stem": "text"} as JSON.

    python_engine.py faster-whisper MODEL OUT.json FILE… [--beam 1] [--threads 1]
    python_engine.py openai-whisper MODEL OUT.json FILE… [--beam 1] [--threads 1]
"""
import argparse
import json
from pathlib import Path


def faster_whisper(model, files, beam, threads, chunk_s):
    from faster_whisper import BatchedInferencePipeline, WhisperModel
    pipeline = BatchedInferencePipeline(WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads))
    for file in files:
        segments, _ = pipeline.transcribe(file, language="en", beam_size=beam, batch_size=8, vad_filter=True,
                                          without_timestamps=False, chunk_length=chunk_s)
        yield file, " ".join(segment.text for segment in segments)


def openai_whisper(model, files, beam, threads, _chunk_s):
    import torch
    import whisper
    from scipy.io import wavfile
    torch.set_num_threads(threads)
    loaded = whisper.load_model(model, device="cpu")
    # The program's own defaults, but for the beam.
    options = {"beam_size": beam, "best_of": 5} if beam > 1 else {}
    for file in files:
        _, samples = wavfile.read(file)
        result = loaded.transcribe(samples.astype("float32") / 32768, language="en", fp16=False,
                                   temperature=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), **options)
        yield file, result["text"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["faster-whisper", "openai-whisper"])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chunk", type=int, help="longest stretch of speech in a window, s; default: 30")
    arguments = parser.parse_args()
    engine = faster_whisper if arguments.engine == "faster-whisper" else openai_whisper
    texts = engine(arguments.model, arguments.files, arguments.beam, arguments.threads, arguments.chunk)
    arguments.out.write_text(json.dumps({Path(file).stem: text for file, text in texts}, indent=1))


if __name__ == "__main__":
    main()
