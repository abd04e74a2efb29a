"""One set of weights for every engine: reads a whisper.cpp ggml file and writes it for openai-whisper and CTranslate2.

    weights.py FILE.bin OUT         OUT/openai.pt, OUT/ctranslate2/
    weights.py --random base OUT    a random model of a real shape: OUT/model-q8_0.bin, then the same two
"""
import argparse
import base64
import json
import struct
from pathlib import Path

import numpy as np

MAGIC = 0x67676D6C
SHAPE_FIELDS = ["n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
                "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels"]
# 32 weights with one scale.
Q8_0 = np.dtype([("scale", "<f2"), ("values", "i1", 32)])
END_OF_TEXT, BEGIN_TIMES = 50256, 50363
SHAPES = {"tiny": (384, 6, 4), "base": (512, 8, 6), "small": (768, 12, 12)}
# Tokens of one window of the random model: about what 10 s of speech give.
RANDOM_TOKENS = 48


def read_ggml(path):
    """Shape and tensors (float32; f32, f16 and q8_0 are read)."""
    data = memoryview(Path(path).read_bytes())
    at = 0

    def integers(count):
        nonlocal at
        at += 4 * count
        return struct.unpack_from(f"<{count}i", data, at - 4 * count)

    magic, *shape, _file_type = integers(12)
    if magic != MAGIC:
        raise SystemExit(f"{path}: not a ggml file")
    bands, bins = integers(2)
    at += 4 * bands * bins
    for _ in range(integers(1)[0]):
        length, = integers(1)
        at += length
    tensors = {}
    while at < len(data):
        dimensions, name_length, kind = integers(3)
        size = integers(dimensions)[::-1]
        name = bytes(data[at:at + name_length]).decode()
        at += name_length
        count = int(np.prod(size))
        if kind in (0, 1):
            values = np.frombuffer(data, np.float32 if kind == 0 else np.float16, count, at)
            at += values.nbytes
        elif kind == 8:
            blocks = np.frombuffer(data, Q8_0, count // 32, at)
            at += blocks.nbytes
            values = blocks["scale"].astype(np.float32)[:, None] * blocks["values"]
        else:
            raise SystemExit(f"{path}: tensor {name} has type {kind}; f32, f16 and q8_0 are read")
        tensors[name] = np.array(values, np.float32).reshape(size)
    for name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        tensors[name] = tensors[name].reshape(-1)
    return dict(zip(SHAPE_FIELDS, shape)), tensors


def write_ggml(path, shape, tensors, assets):
    """As q8_0, for whisper.cpp and callmark; what whisper.cpp's own tool leaves alone stays float16 or float32."""
    filters = np.load(assets / "mel_filters.npz")["mel_80"].astype(np.float32)
    tokens = sorted(ranks(assets), key=ranks(assets).get)
    with open(path, "wb") as out:
        out.write(struct.pack("<12i", MAGIC, *(shape[field] for field in SHAPE_FIELDS), 2007))
        out.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        out.write(struct.pack("<i", len(tokens)))
        out.writelines(struct.pack("<i", len(token)) + token for token in tokens)
        for name, values in tensors.items():
            if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
                values = values.reshape(-1, 1)
            kind = 0
            if values.ndim > 1 and not name.endswith(("bias", "positional_embedding")):
                kind = 8 if values.ndim == 2 else 1
            out.write(struct.pack("<3i", values.ndim, len(name), kind))
            out.write(struct.pack(f"<{values.ndim}i", *values.shape[::-1]) + name.encode())
            if kind == 8:
                blocks = np.empty(values.size // 32, Q8_0)
                rows = values.reshape(-1, 32)
                scale = (np.abs(rows).max(1) / 127).astype(np.float32)
                blocks["scale"], blocks["values"] = scale, np.round(rows / np.maximum(scale, 1e-20)[:, None])
                out.write(blocks.tobytes())
            else:
                out.write(np.ascontiguousarray(values, np.float16 if kind else np.float32).tobytes())


def random_model(size, assets):
    """Random weights of a real English-only shape, made so that every engine's decoder stops after RANDOM_TOKENS.

    The decoder's blocks add nothing to the residual stream (their output projections are zero; the products are
    computed all the same), so the token at a position follows from that position's embedding alone. The token
    embeddings cancel out of it: a token is one of a few directions, a position asks for one direction.
    """
    state, heads, layers = SHAPES[size]
    shape = dict(n_vocab=51864, n_audio_ctx=1500, n_audio_state=state, n_audio_head=heads, n_audio_layer=layers,
                 n_text_ctx=448, n_text_state=state, n_text_head=heads, n_text_layer=layers, n_mels=80)
    draw = np.random.default_rng(5)
    normal = lambda *size, scale=0.02: draw.normal(0, scale, size).astype(np.float32)
    ones, zeros = lambda n: np.ones(n, np.float32), lambda n: np.zeros(n, np.float32)
    t = {"encoder.positional_embedding": normal(1500, state), "decoder.positional_embedding": normal(448, state)}
    t["encoder.conv1.weight"], t["encoder.conv1.bias"] = normal(state, 80, 3), zeros(state)
    t["encoder.conv2.weight"], t["encoder.conv2.bias"] = normal(state, state, 3), zeros(state)

    def attention(prefix, silent):
        for part in ("query", "key", "value", "out"):
            t[f"{prefix}.{part}.weight"] = normal(state, state) * (0 if silent and part == "out" else 1)
            if part != "key":
                t[f"{prefix}.{part}.bias"] = zeros(state)
        t[f"{prefix}_ln.weight"], t[f"{prefix}_ln.bias"] = ones(state), zeros(state)

    for side in ("encoder", "decoder"):
        silent = side == "decoder"
        for layer in range(layers):
            block = f"{side}.blocks.{layer}"
            attention(f"{block}.attn", silent)
            if silent:
                attention(f"{block}.cross_attn", silent)
            t[f"{block}.mlp.0.weight"], t[f"{block}.mlp.0.bias"] = normal(4 * state, state), zeros(4 * state)
            t[f"{block}.mlp.2.weight"] = normal(state, 4 * state) * (0 if silent else 1)
            t[f"{block}.mlp.2.bias"] = zeros(state)
            t[f"{block}.mlp_ln.weight"], t[f"{block}.mlp_ln.bias"] = ones(state), zeros(state)
    t["encoder.ln_post.weight"], t["encoder.ln_post.bias"] = ones(state), zeros(state)
    t["decoder.ln.weight"], t["decoder.ln.bias"] = ones(state), zeros(state)

    # Token rows are small noise, positions large: the input token hardly moves the result.
    rows = normal(51864, state, scale=0.001)
    place = t["decoder.positional_embedding"]
    words = [token for token, rank in sorted(ranks(assets).items(), key=lambda item: item[1])
             if token.startswith(b" ") and token[1:].isalpha() and len(token) > 4][:RANDOM_TOKENS]
    begin, last = BEGIN_TIMES, BEGIN_TIMES + 1499
    # Position 0 is the start token: what is read there comes next. A repeated word would look like a loop.
    wanted = [begin] + [ranks(assets)[word] for word in words] + [last] + [END_OF_TEXT] * (448 - len(words) - 2)
    directions = np.linalg.qr(draw.normal(0, 1, (state, state)))[0].astype(np.float32)
    index = {token: number for number, token in enumerate(dict.fromkeys(wanted))}
    for token, number in index.items():
        rows[token] = directions[number]
    for position, token in enumerate(wanted):
        place[position] = 8 * directions[index[token]]
    t["decoder.token_embedding.weight"] = rows
    return shape, t


def ranks(assets):
    """GPT-2's tokens (bytes) and their numbers, from openai-whisper's package."""
    if not hasattr(ranks, "known"):
        lines = (assets / "gpt2.tiktoken").read_bytes().splitlines()
        ranks.known = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    return ranks.known


def write_openai(path, shape, tensors):
    import torch
    state = {name: torch.from_numpy(values) for name, values in tensors.items()}
    torch.save({"dims": shape, "model_state_dict": state}, path)


def special_tokens():
    from whisper.tokenizer import LANGUAGES
    languages = [f"<|{code}|>" for code in list(LANGUAGES)[:99]]
    rest = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    return ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{name}|>" for name in rest)]


def write_tokenizer(path, assets):
    """GPT-2's byte-pair encoder in the format of the `tokenizers` package; returns the vocabulary in order."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    # GPT-2 writes every byte as one printable character.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    letters |= {byte: chr(256 + n) for n, byte in enumerate(b for b in range(256) if b not in letters)}
    spell = lambda token: "".join(letters[byte] for byte in token)
    known = ranks(assets)

    def last_merge(token, rank):
        parts = [bytes([byte]) for byte in token]
        while len(parts) > 2:
            pairs = [known.get(a + b, rank) for a, b in zip(parts, parts[1:])]
            best = min(range(len(pairs)), key=pairs.__getitem__)
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        return tuple(map(spell, parts))

    order = sorted(known, key=known.get)
    merges = [last_merge(token, known[token]) for token in order if len(token) > 1]
    tokenizer = Tokenizer(models.BPE({spell(token): rank for token, rank in known.items()}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special_tokens()])
    tokenizer.save(str(path))
    times = [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    return [spell(token) for token in order] + special_tokens() + times


def write_ctranslate2(folder, shape, tensors, assets):
    """As float32; the engine makes int8 of it when it loads."""
    from ctranslate2.specs.whisper_spec import WhisperSpec
    spec = WhisperSpec(shape["n_audio_layer"], shape["n_audio_head"], shape["n_text_layer"], shape["n_text_head"])

    def linear(target, *names):
        target.weight = np.concatenate([tensors[f"{name}.weight"] for name in names])
        # Keys have no bias.
        bias = [tensors.get(f"{name}.bias", np.zeros(len(tensors[f"{name}.weight"]), np.float32)) for name in names]
        target.bias = np.concatenate(bias)

    def norm(target, name):
        target.gamma, target.beta = tensors[f"{name}.weight"], tensors[f"{name}.bias"]

    def side(target, name, count):
        for layer in range(count):
            block, to = f"{name}.blocks.{layer}", target.layer[layer]
            linear(to.self_attention.linear[0], *(f"{block}.attn.{part}" for part in ("query", "key", "value")))
            linear(to.self_attention.linear[1], f"{block}.attn.out")
            norm(to.self_attention.layer_norm, f"{block}.attn_ln")
            if name == "decoder":
                linear(to.attention.linear[0], f"{block}.cross_attn.query")
                linear(to.attention.linear[1], f"{block}.cross_attn.key", f"{block}.cross_attn.value")
                linear(to.attention.linear[2], f"{block}.cross_attn.out")
                norm(to.attention.layer_norm, f"{block}.cross_attn_ln")
            linear(to.ffn.linear_0, f"{block}.mlp.0")
            linear(to.ffn.linear_1, f"{block}.mlp.2")
            norm(to.ffn.layer_norm, f"{block}.mlp_ln")
        target.position_encodings.encodings = tensors[f"{name}.positional_embedding"]

    for conv in ("conv1", "conv2"):
        getattr(spec.encoder, conv).weight = tensors[f"encoder.{conv}.weight"]
        getattr(spec.encoder, conv).bias = tensors[f"encoder.{conv}.bias"]
    side(spec.encoder, "encoder", shape["n_audio_layer"])
    side(spec.decoder, "decoder", shape["n_text_layer"])
    norm(spec.encoder.layer_norm, "encoder.ln_post")
    norm(spec.decoder.layer_norm, "decoder.ln")
    spec.decoder.embeddings.weight = tensors["decoder.token_embedding.weight"]
    spec.decoder.projection.weight = tensors["decoder.token_embedding.weight"]

    folder.mkdir(exist_ok=True)
    spec.register_vocabulary(write_tokenizer(folder / "tokenizer.json", assets))
    layers, heads = shape["n_text_layer"], shape["n_text_head"]
    spec.config.alignment_heads = [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.lang_ids = [], [220, END_OF_TEXT], []
    spec.validate()
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape["n_mels"]}))


def main():
    import whisper
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("out", type=Path)
    parser.add_argument("--random", choices=SHAPES)
    arguments = parser.parse_args()
    assets = Path(whisper.__file__).parent / "assets"
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.random:
        arguments.file = arguments.out / "model-q8_0.bin"
        write_ggml(arguments.file, *random_model(arguments.random, assets), assets)
    shape, tensors = read_ggml(arguments.file)
    write_openai(arguments.out / "openai.pt", shape, tensors)
    write_ctranslate2(arguments.out / "ctranslate2", shape, tensors, assets)


if __name__ == "__main__":
    main()
