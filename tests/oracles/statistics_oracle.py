"""Writes statistics.json: what numpy and scipy say about the functions of callmark_core::statistics.

Run: python tests/oracles/statistics_oracle.py   (needs numpy and scipy; the JSON is committed, tests only read it)
"""

import json
import pathlib

import numpy as np
from scipy import stats
from hierarchical import posterior_spread

rng = np.random.default_rng(20250219)
out = {}

out["wilson"] = []
for n in (1, 2, 5, 20, 87, 1000):
    for successes in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        low, high = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        out["wilson"].append({"successes": successes, "n": n, "low": low, "high": high})

out["normal"] = [
    {"x": x, "cdf": float(stats.norm.cdf(x))} for x in (-8.0, -3.2, -1.959963984540054, -0.5, 0.0, 0.1, 1.0, 2.5, 6.0)
]
out["quantile"] = [
    {"p": p, "x": float(stats.norm.ppf(p))} for p in (1e-12, 1e-5, 0.001, 0.025, 0.2, 0.5, 0.5001, 0.9, 0.975, 0.999999)
]

out["moments"] = []
for size in (2, 7, 400):
    values = [int(v) for v in rng.integers(0, 100_001, size)]
    out["moments"].append({"values": values, "mean": float(np.mean(values)), "variance": float(np.var(values, ddof=1))})

out["benjamini_hochberg"] = []
for size in (1, 3, 12, 60):
    p = np.concatenate([rng.uniform(0, 1, size - size // 3), rng.uniform(0, 0.01, size // 3)])
    out["benjamini_hochberg"].append({"p": p.tolist(), "adjusted": stats.false_discovery_control(p, method="bh").tolist()})


def empirical_bayes(groups):
    """ANOVA moments and hierarchical Bayes over s_b², written from the formulas with arrays."""
    n = np.array([len(g) for g in groups], float)
    mean = np.array([np.mean(g) for g in groups])
    k, total = len(groups), n.sum()
    # MSB and MSW from scipy's one-way ANOVA: F = MSB / MSW.
    msw = sum(np.var(g, ddof=1) * (len(g) - 1) for g in groups if len(g) > 1) / (total - k)
    msb = stats.f_oneway(*groups).statistic * msw
    n0 = (total - (n**2).sum() / total) / (k - 1)
    a = max(0.0, (msb - msw) / n0)
    v = msw / n
    w = 1 / (a + v)
    mu = np.average(mean, weights=w)
    shrink = v / (v + a)
    centre = (1 - shrink) * mean + shrink * mu
    variance = posterior_spread([mean], [v], [centre])[0]
    return {
        "mean": float(mu),
        "within": float(msw),
        "between": float(a),
        "groups": [
            {"mean": float(c), "sd": float(np.sqrt(s)), "reliability": float(1 - b)}
            for c, s, b in zip(centre, variance, shrink)
        ],
    }


out["empirical_bayes"] = []
for k, sizes, between, within in ((4, (5, 9), 6000, 9000), (12, (3, 60), 3000, 12000), (20, (20, 21), 0, 12000)):
    groups = []
    for _ in range(k):
        theta = rng.normal(70000, between)
        groups.append([int(x) for x in rng.normal(theta, within, int(rng.integers(*sizes)))])
    out["empirical_bayes"].append({"groups": groups, "expected": empirical_bayes(groups)})

out["bootstrap"] = []
for size in (12, 80):
    before, after = rng.normal(70, 12, size), rng.normal(75, 12, size)
    mean = stats.bootstrap((before,), np.mean, n_resamples=20000, method="percentile", random_state=1)
    both = stats.bootstrap(
        (before, after), lambda a, b, axis=-1: np.mean(b, axis=axis) - np.mean(a, axis=axis),
        n_resamples=20000, method="percentile", random_state=1, vectorized=True,
    )
    out["bootstrap"].append({
        "before": before.tolist(), "after": after.tolist(),
        "mean": list(map(float, mean.confidence_interval)), "difference": list(map(float, both.confidence_interval)),
    })

out["spearman"] = []
for size, levels, slope in ((8, 1000, 0.5), (8, 5, -0.8), (30, 1000, 0.0), (50, 20, 0.3)):
    x = rng.integers(0, levels, size)
    y = (slope * x + rng.normal(0, levels / 3, size)).astype(int)
    rho = float(stats.spearmanr(x, y).statistic)
    # Bonett and Wright (2000).
    half = stats.norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (size - 3))
    low, high = np.tanh(np.arctanh(rho) + np.array([-half, half]))
    out["spearman"].append({"x": x.tolist(), "y": y.tolist(), "rho": rho, "low": float(low), "high": float(high)})

out["student"] = [
    {"t": t, "freedom": freedom, "tail": float(stats.t.sf(t, freedom))}
    for freedom in (1.0, 2.5, 3.7, 10.0, 61.3, 5000.0) for t in (0.0, 0.3, 1.0, 2.2, 5.0, 12.0, 40.0)
]

out["welch"] = []
for sizes, spreads in (((4, 4), (3000, 3000)), ((5, 17), (500, 9000)), ((30, 12), (4000, 2000)), ((2, 40), (8000, 1000))):
    first, second = ([int(x) for x in rng.normal(70000, spread, size)] for size, spread in zip(sizes, spreads))
    test = stats.ttest_ind(second, first, equal_var=False)
    low, high = test.confidence_interval(0.95)
    # Five comparisons at once (Bonferroni).
    corrected = test.confidence_interval(1 - 0.05 / 5)
    out["welch"].append({
        "first": first, "second": second, "freedom": float(test.df), "p": float(test.pvalue),
        "interval": [float(low), float(high)], "of_five": list(map(float, corrected)),
    })

path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(out, indent=1) + "\n")
