"""Step 2: every form of every turn through the shipped text model once: build/features_{en,zh}.npz and build/forms_{en,zh}.json.

Form 0 is the turn as written, the next ones are for training (noise.py), the last two for measuring: as a recogniser without
errors writes it, and so with 15 % of the words (Chinese: characters) wrong.
"""

import json
import sys

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from common import BUILD, LANGUAGES, SIZE, all_turns, buckets, folder
from noise import Noise, as_recognised

NOISY = 8
PLAIN, WRONG = NOISY + 1, NOISY + 2  # the forms for measuring


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class TextModel:
    """The shipped embedding of a text as records keep it (models/src/embedding.rs): int8, ties away from zero."""

    def __init__(self, language):
        self.session = session(folder(language) / "model.onnx")
        self.tokenizer = Tokenizer.from_file(str(folder(language) / "tokenizer.json"))
        self.tokenizer.enable_truncation(128)
        self.known = {}

    def __call__(self, text):
        if text not in self.known:
            self.known[text] = self.read(text)
        return self.known[text]

    def read(self, text):
        if not any(c.isalnum() for c in text):
            return np.zeros(SIZE, np.int8)
        encoding = self.tokenizer.encode(text)
        scaled = self.session.run(["embedding"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})[0][0] * np.float32(127)
        return np.clip(np.trunc(scaled + np.copysign(np.float32(0.5), scaled)), -127, 127).astype(np.int8)


def forms(language, text, noise, wrong):
    plain = as_recognised(language, text)
    return [text] + [noise.for_training(text) for _ in range(NOISY)] + [plain, wrong.errors(plain, 0.15)]


def main():
    for language in sys.argv[1:] or LANGUAGES:
        model, noise, wrong = TextModel(language), Noise(language, 7), Noise(language, 11, for_test=True)
        texts = [forms(language, turn["text"], noise, wrong) for turn in all_turns(language)]
        embeddings = np.array([[model(text) for text in row] for row in texts], np.int8)
        ngrams = [[buckets(language, text) for text in row] for row in texts]
        np.savez_compressed(BUILD / f"features_{language}.npz", embeddings=embeddings)
        json.dump({"texts": texts, "ngrams": ngrams}, open(BUILD / f"forms_{language}.json", "w"), ensure_ascii=False)
        print(language, embeddings.shape, flush=True)


if __name__ == "__main__":
    main()
