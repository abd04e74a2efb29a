"""A shipped text model, one text at a time, as the program runs it."""

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MAX_TOKENS = 128
NO_WORDS = [0.0, 1.0, 0.0]


def says(text):
    """Whether there is a letter or digit in it."""
    return any(c.isalnum() for c in text)


class Model:
    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, text):
        """(unit vector, probabilities of negative, neutral, positive)"""
        encoding = self.tokenizer.encode(text)
        vector, logits = self.session.run(["embedding", "sentiment"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
        e = np.exp(logits[0].astype(np.float64) - logits[0].max())
        return vector[0], e / e.sum()

    def insult(self, text):
        """The probability of an insult."""
        encoding = self.tokenizer.encode(text)
        (logit,) = self.session.run(["insult"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
        return 1 / (1 + np.exp(-float(logit[0, 0])))

    def probabilities(self, texts):
        """A text that says nothing is neutral."""
        known = {text: self(text)[1] if says(text) else NO_WORDS for text in dict.fromkeys(texts)}
        return np.array([known[text] for text in texts])
