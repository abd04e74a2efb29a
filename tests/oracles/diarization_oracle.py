"""Writes diarization.json: pyannote.metrics' diarization error rates as fixtures for callmark_core::diarization.

Run: python tests/oracles/diarization_oracle.py   (needs pyannote.metrics 4; the JSON is committed)
pyannote's collar is the whole stretch around a boundary, NIST's and ours one side of it: 0.5 s there are 250 ms here.
"""

import json
import pathlib
import random

from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate

ROLES = ["rep", "customer", "unknown"]


def speech(rng, speakers, until_ms):
    """Spans of each speaker that do not touch one another; speakers overlap."""
    spans = []
    for speaker in speakers:
        at = rng.randrange(0, 3000)
        while at < until_ms:
            length = rng.randrange(200, 6000)
            spans.append((speaker, at, at + length))
            at += length + rng.randrange(50, 5000)
    return spans


def disturbed(rng, spans, rate):
    """The same spans with moved ends, lost ones, and ones given to another speaker."""
    out = []
    for speaker, begin, end in spans:
        if rng.random() < rate / 2:
            continue
        begin, end = begin + rng.randrange(-300, 300), end + rng.randrange(-300, 300)
        speaker = rng.choice(ROLES) if rng.random() < rate else speaker
        if begin < end:
            out.append((speaker, max(begin, 0), max(end, 1)))
    return out


def joined(spans):
    """pyannote counts a speaker twice who overlaps with itself; callmark joins such spans before."""
    out = []
    for span in sorted(spans):
        if out and out[-1][0] == span[0] and span[1] <= out[-1][2]:
            out[-1] = (span[0], out[-1][1], max(out[-1][2], span[2]))
        else:
            out.append(span)
    return out


def annotation(spans):
    found = Annotation()
    for track, (speaker, begin, end) in enumerate(spans):
        found[Segment(begin / 1000, end / 1000), track] = speaker
    return found


rng = random.Random(11)
cases = []
for number in range(24):
    reference = joined(speech(rng, ROLES[: 1 + number % 2], 20_000))
    hypothesis = joined(disturbed(rng, reference, (number % 4) / 4))
    if number % 6 == 5:
        hypothesis = joined([("unknown", begin, end) for _, begin, end in hypothesis])
    for collar_ms in (0, 250):
        metric = DiarizationErrorRate(collar=2 * collar_ms / 1000, skip_overlap=False)
        parts = metric(annotation(reference), annotation(hypothesis), detailed=True)
        cases.append({
            "reference": reference,
            "hypothesis": hypothesis,
            "collar_ms": collar_ms,
            "reference_ms": round(1000 * parts["total"]),
            "missed_ms": round(1000 * parts["missed detection"]),
            "false_alarm_ms": round(1000 * parts["false alarm"]),
            "confusion_ms": round(1000 * parts["confusion"]),
        })

path = pathlib.Path(__file__).with_name("diarization.json")
path.write_text(json.dumps(cases) + "\n")
