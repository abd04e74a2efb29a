#!/usr/bin/env python3
"""Fits the weights of core's role cues: logistic regression (Newton) on the difference of the two speakers' cues.

usage: callmark eval roles SETS… --turns 3,4,6,8,12,0 --cues > cues.jsonl;  fit_roles.py cues.jsonl pipeline/core/src/role_cues.rs

Ridge towards the hand-set prior weights (in PRIOR), so that a cue that the sets hardly hold (a disclosure, an objection) keeps its
prior. Every set counts alike, every beginning of a call with its share. Prints the weights that role_cues.rs then holds.
"""
import collections, json, re, sys
import numpy as np

RIDGE = 4.0  # of a standard deviation of half a unit of log-odds around the prior


def main(cues, source):
    rust = open(source).read()
    prior = {n: int(v) for n, v in re.findall(r'\("(\w+)", (-?\d+)\)', rust)}
    prior |= {n: int(v) for n, v in re.findall(r'name: "(\w+)",\s*odds_milli: (-?\d+)', rust)}
    prior["speaks_first"] = int(re.search(r"SPEAKS_FIRST_MILLI: i64 = (-?\d+)", rust).group(1))
    names = sorted(prior)
    cases = [json.loads(line) for line in open(cues)]
    group = lambda c: re.match(r"[a-z_A-Z]+", c["name"]).group(0)
    of_group = collections.Counter(group(c) for c in cases)
    of_call = collections.Counter(c["name"] for c in cases)
    x = np.array([[c["cues"].get(n, 0) for n in names] for c in cases], float)
    # Sets weigh by the root of their size, calls alike whatever the number of their beginnings.
    calls = collections.Counter(re.match(r"[a-z_A-Z]+", n).group(0) for n in of_call)
    w = np.array([np.sqrt(100 / max(calls[group(c)], 100)) / of_call[c["name"]] for c in cases])
    start = np.array([prior[n] / 1000 for n in names])
    b = start.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ b))
        gradient = x.T @ (w * (1 - p)) - RIDGE * (b - start)
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(names))
        b += np.linalg.solve(hessian, gradient)
    print(f"{len(cases)} beginnings of {len(of_call)} calls: {dict(of_group)}", file=sys.stderr)
    for n, v in zip(names, b):
        milli = int(round(v * 1000, -1))
        print(f"{n:28} {prior[n]:6} -> {milli:6}", file=sys.stderr)
        rust = re.sub(rf'(\("{n}", )-?\d+\)', rf"\g<1>{milli})", rust)
        rust = re.sub(rf'(name: "{n}",\s*odds_milli: )-?\d+', rf"\g<1>{milli}", rust)
        if n == "speaks_first":
            rust = re.sub(r"(SPEAKS_FIRST_MILLI: i64 = )-?\d+", rf"\g<1>{milli}", rust)
    open(source, "w").write(rust)


main(*sys.argv[1:3])
