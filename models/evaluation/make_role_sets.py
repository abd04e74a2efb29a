#!/usr/bin/env python3
"""Writes role-labelled dialogues of a data folder as `Rep:`/`Customer:` texts for `callmark eval roles`.

usage: make_role_sets.py DATA/text OUT    (OUT/fit/… and OUT/held_out/…; nothing of it belongs into the repository)

Sets: ABCD sample, CrossWOZ (its system is the rep; every second dialogue is held out), MS-CKM (likewise), Harper Valley (calls, human transcript),
Azure and AWS example outputs. Where a set has times they are kept (WebVTT).
"""
import gzip, json, pathlib, re, sys


def put(folder, name, turns):
    folder.mkdir(parents=True, exist_ok=True)
    timed = all(len(t) == 4 for t in turns)
    if timed:
        def clock(ms):
            return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
        body = "".join(f"{clock(b)} --> {clock(e)}\n<v {r}>{t}\n\n" for r, t, b, e in turns)
        (folder / f"{name}.vtt").write_text("WEBVTT\n\n" + body)
    else:
        one_line = ((t[0], " ".join(t[1].split())) for t in turns)
        (folder / f"{name}.txt").write_text("".join(f"{r}: {t}\n" for r, t in one_line if t))


def main(data, out):
    data, fit, held = pathlib.Path(data), pathlib.Path(out) / "fit", pathlib.Path(out) / "held_out"
    role = {"agent": "Rep", "sys": "Rep", "customer": "Customer", "caller": "Customer", "usr": "Customer"}
    for d in json.loads((data / "abcd/abcd_sample.json").read_text()):
        put(held / "abcd", f"abcd{d['convo_id']}", [(role[r], t) for r, t in d["original"] if r in role])
    lines = gzip.open(data / "crosswoz_zh/crosswoz_val_test.jsonl.gz", "rt").read().splitlines()
    for i, d in enumerate(map(json.loads, lines)):
        put((fit if i % 2 == 0 else held) / "crosswoz", f"crosswoz{i}", [(role[t["role"]], t["text"]) for t in d["turns"]])
    lines = gzip.open(data / "ms_ckm_transcripts/calls.jsonl.gz", "rt").read().splitlines()
    for i, d in enumerate(map(json.loads, lines)):
        said = re.findall(r"(?m)^\W*(Agent|Customer)\b[^:\n]{0,30}:\W*(.+)$", d["text"])
        if len(said) > 4:  # The others were written without who speaks.
            turns = [("Rep" if who == "Agent" else "Customer", text) for who, text in said]
            put((fit if d["src"] == "misc" and i % 2 == 0 else held) / "ms_ckm", f"ms_ckm{i}", turns)
    for d in map(json.loads, (data / "harper_valley_sample/calls.jsonl").read_text().splitlines()):
        for kind in ("human", "asr"):
            turns = [(role[s["role"]], s[kind], s["start_ms"], s["start_ms"] + s["duration_ms"]) for s in d["segments"] if s.get(kind)]
            put(held / f"harper_{kind}", f"harper_{kind}_{d['sid']}", turns)
    d = json.loads((data / "vendor_output_examples/azure_Json_input_customer_support.json").read_text())
    for i, c in enumerate(d["analysisInput"]["conversations"]):
        put(held / "azure", f"azure{i}", [("Rep" if t["participantId"] == "Agent" else "Customer", t["text"]) for t in c["conversationItems"]])
    for name in ("aws_call_analytics_example-call.json", "aws_pca_testfile.json"):
        d = json.loads((data / "vendor_output_examples" / name).read_text())
        turns = [
            ("Rep" if t["ParticipantRole"] == "AGENT" else "Customer", t["Content"], t["BeginOffsetMillis"], t["EndOffsetMillis"])
            for t in d.get("Transcript", [])
        ]
        if turns:
            put(held / "aws", name.split(".")[0], turns)


main(*sys.argv[1:3])
