"""A Whisper file as the fuzz target whisper_model reads it: what the check reads, without what it skips, and one word only.

    whisper_model_seed.py MODEL.bin SEED
"""
import math
import struct
import sys

# Bytes and elements of a block: f32, f16, q8_0.
BLOCKS = {0: (4, 1), 1: (2, 1), 8: (34, 32)}

model = open(sys.argv[1], "rb").read()
bands, bins = struct.unpack_from("<2i", model, 48)
read = bytearray(model[:56]) + struct.pack("<2i", 1, 1) + b" "
skipped = bands * bins * 4
(words,) = struct.unpack_from("<i", model, 56 + skipped)
at = 56 + skipped + 4
for _ in range(words):
    at += 4 + struct.unpack_from("<i", model, at)[0]
while at < len(model):
    dimensions, name_bytes, kind = struct.unpack_from("<3i", model, at)
    sides = struct.unpack_from(f"<{dimensions}i", model, at + 12)
    head = 12 + 4 * dimensions + name_bytes
    read += model[at : at + head]
    block_bytes, elements = BLOCKS[kind]
    data = math.prod(sides) // elements * block_bytes
    skipped += data
    at += head + data
open(sys.argv[2], "wb").write(struct.pack("<I", skipped) + read)
