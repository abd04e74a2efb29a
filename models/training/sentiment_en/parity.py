"""Check: how near the shipped embedding (pruned words, int8 weights) is to the base encoder's in float32.

    python parity.py
"""

import json

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from common import BUILD, LAYERS, MAX_TOKENS, OUT, base_folder, load_layer, transformer_layer
from features import embed_tokens
from shipped import Model


def main():
    model = Model(OUT)
    base = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    base.no_padding()
    tensors = {k.removeprefix("bert."): v for k, v in load_file(base_folder() / "model.safetensors").items()}
    layers = [load_layer(tensors, i) for i in range(LAYERS)]
    position = tensors["embeddings.position_embeddings.weight"][:MAX_TOKENS] + tensors["embeddings.token_type_embeddings.weight"][0]
    embed = {"words": tensors["embeddings.word_embeddings.weight"], "position": position,
             "ln_w": tensors["embeddings.LayerNorm.weight"], "ln_b": tensors["embeddings.LayerNorm.bias"]}
    same, other = [], []
    for _, text, _ in json.load(open(BUILD / "test_calls.json")):
        encoding = base.encode(text)
        x = embed_tokens(embed, np.array([encoding.ids]))
        for layer in layers:
            x = transformer_layer(layer, x, 0.0)
        vector = np.asarray(x).mean(1)[0]
        cosine = float(vector / np.linalg.norm(vector) @ model(text)[0])
        (same if encoding.tokens == model.tokenizer.encode(text).tokens else other).append(cosine)
    print(f"{len(same)} call sentences cut as by the base: cosine mean {np.mean(same):.4f}, lowest {min(same):.4f}; {len(other)} cut otherwise: {sorted(round(c, 2) for c in other)}")


if __name__ == "__main__":
    main()
