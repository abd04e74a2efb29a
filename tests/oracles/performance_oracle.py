"""Writes performance.json: what numpy and statsmodels say about callmark_core::performance.

Run: python tests/oracles/performance_oracle.py   (needs numpy and statsmodels; the JSON is committed, tests only read it)
"""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from hierarchical import posterior_spread

rng = np.random.default_rng(20251129)
out = {}


# ---------------------------------------------------------------- adjustment for campaign and call type


def ols(values):
    """values: list of (unit, stratum, x). Ordinary least squares on dummies by the pseudo-inverse; strata centred in each part."""
    units = sorted({u for u, _, _ in values})
    strata = sorted({s for _, s, _ in values})
    design = np.zeros((len(values), len(units) + len(strata)))
    for row, (u, s, _) in zip(design, values):
        row[units.index(u)] = row[len(units) + strata.index(s)] = 1
    y = np.array([x for _, _, x in values], float)
    cov = np.linalg.pinv(design.T @ design)
    beta = cov @ design.T @ y
    residual = y - design @ beta
    rank = np.linalg.matrix_rank(design)
    s2 = residual @ residual / (len(y) - rank)
    # Connected parts of units and strata.
    part = {("s", s): {("s", s)} for s in strata}
    part_of_unit = {}
    for u in units:
        seen = sorted({s for v, s, _ in values if v == u})
        merged = set().union(*(part[("s", s)] for s in seen))
        for member in merged:
            part[member] = merged
        part_of_unit[u] = seen[0]
    n_s = {s: sum(t == s for _, t, _ in values) for s in strata}

    def level(s):
        """Weights of the mean effect of the part of stratum s."""
        weights = np.zeros(len(units) + len(strata))
        members = [t for _, t in part[("s", s)]]
        for t in members:
            weights[len(units) + strata.index(t)] = n_s[t] / sum(n_s[m] for m in members)
        return weights

    contrasts = {("unit", u): np.eye(len(beta))[units.index(u)] + level(part_of_unit[u]) for u in units}
    contrasts |= {("stratum", s): np.eye(len(beta))[len(units) + strata.index(s)] - level(s) for s in strata}
    return contrasts, beta, cov * s2, s2


def adjustment_case(units, strata, disconnected):
    values = []
    for u in range(units):
        for s in range(strata):
            if disconnected and (u < units // 2) != (s < strata // 2):
                continue
            for _ in range(int(rng.integers(0 if s != u % strata and not disconnected else 1, 6))):
                values.append((u, s, int(rng.normal(70000 + 2000 * u - 3000 * s, 9000))))
    contrasts, beta, cov, s2 = ols(values)
    n = {u: sum(v == u for v, _, _ in values) for u in range(units)}
    first, last = contrasts[("unit", 0)], contrasts[("unit", units // 2 - 1)]
    mixed = 0.25 * first + 0.75 * last - contrasts[("unit", 1)]
    return {
        "values": values,
        "within": s2,
        "units": [
            {"mean": float(c @ beta), "effective_n": float(s2 / (c @ cov @ c)), "n": n[u]}
            for (kind, u), c in contrasts.items() if kind == "unit"
        ],
        "effects": [
            {"effect": float(c @ beta), "variance": float(c @ cov @ c)}
            for (kind, _), c in contrasts.items() if kind == "stratum"
        ],
        # ¼ of unit 0 and ¾ of the last unit of the first half, less unit 1.
        "combination": {"mean": float(mixed @ beta), "variance": float(mixed @ cov @ mixed)},
    }


out["adjustment"] = [adjustment_case(6, 4, False), adjustment_case(12, 3, False), adjustment_case(6, 4, True)]


# ---------------------------------------------------------------- empirical Bayes over several teams


def empirical_bayes(pools):
    """pools: list of lists of (values, effective n). Moments pooled over teams, hierarchical Bayes over s_b², with arrays."""
    mean = [np.array([np.mean(v) for v, _ in pool]) for pool in pools]
    weight = [np.array([w for _, w in pool], float) for pool in pools]
    count = np.array([len(v) for pool in pools for v, _ in pool])
    k, r = len(count), len(pools)
    msw = sum(np.var(v) * len(v) for pool in pools for v, _ in pool) / (count.sum() - k)
    between = sum((w * (m - np.average(m, weights=w)) ** 2).sum() for m, w in zip(mean, weight))
    scale = sum(w.sum() - (w**2).sum() / w.sum() for w in weight)
    a = max(0.0, (between - (k - r) * msw) / scale)
    variances = [msw / w for w in weight]
    centres = []
    for m, v in zip(mean, variances):
        mu = np.average(m, weights=1 / (a + v))
        centres.append((mu, a / (a + v) * m + v / (a + v) * mu))
    spreads = posterior_spread(mean, variances, [c for _, c in centres])
    found = [
        {"mean": float(mu), "means": c.tolist(), "sds": np.sqrt(s).tolist()} for (mu, c), s in zip(centres, spreads)
    ]
    return msw, a, found


out["pools"] = []
for sizes, spread in (((5, 7), 5000), ((4, 4, 9), 2500), ((6,), 3000)):
    pools = []
    for size in sizes:
        team = rng.normal(72000, 4000)
        pool = []
        for _ in range(size):
            n = int(rng.integers(3, 30))
            pool.append(([int(x) for x in rng.normal(rng.normal(team, spread), 11000, n)], round(n * rng.uniform(0.7, 1), 3)))
        pools.append(pool)
    within, between, expected = empirical_bayes(pools)
    out["pools"].append({"pools": pools, "within": within, "between": between, "expected": expected})


# ---------------------------------------------------------------- heaps at an edge


def contrast(histogram, edge, window, reach, pays_above):
    position = np.arange(-reach, reach)
    counts = np.array([histogram.get(int(edge + p), 0) for p in position])
    x = (position + 0.5) / reach
    design = np.column_stack([np.ones_like(x), x, x**2])
    around = (position < -window) | (position >= window)
    fit = sm.GLM(counts[around], design[around], family=sm.families.Poisson()).fit(tol=1e-14, maxiter=200)
    rates = np.exp(design @ fit.params)
    above, below = (position >= 0) & (position < window), (position < 0) & (position >= -window)
    share = lambda side: rates[side] @ design[side] / rates[side].sum()
    gradient = share(above) - share(below)
    sign = 1 if pays_above else -1
    inside, outside = (above, below) if pays_above else (below, above)
    expected = sign * (np.log(rates[above].sum()) - np.log(rates[below].sum()))
    return {
        "inside": int(counts[inside].sum()),
        "outside": int(counts[outside].sum()),
        "log_expected": float(expected),
        "log_excess": float(np.log((counts[inside].sum() + 0.5) / (counts[outside].sum() + 0.5)) - expected),
        "expected_variance": float(gradient @ fit.cov_params() @ gradient),
    }


out["heaps"] = []
for n, mean, sd, pays_above in ((200, 74, 12, True), (400, 83, 8, True), (150, 88, 6, False)):
    scores = rng.normal(mean, sd, n)
    scores[(scores > 81) & (scores < 84)] += 3
    bins = {int(b): int((np.floor(scores) == b).sum()) for b in np.unique(np.floor(scores))}
    case = {"histogram": sorted(bins.items()), "edge": 85, "window": 3, "reach": 12, "pays_above": pays_above}
    out["heaps"].append(case | {"expected": contrast(bins, 85, 3, 12, pays_above)})


# ---------------------------------------------------------------- effect of coaching


def coaching(coached, control, others):
    """Each person: (before, after) lists; one stratum. Returns effect, standard error and parts."""
    groups = [b for b, _ in coached + control] + others
    after = [a for _, a in coached + control]
    pooled = groups + after
    msw = sum(np.var(g) * len(g) for g in pooled) / (sum(map(len, pooled)) - len(pooled))
    n = np.array([len(g) for g in groups], float)
    m = np.array([np.mean(g) for g in groups])
    k = len(groups)
    # The shrinkage knows the values before alone.
    msw_before = sum(np.var(g) * len(g) for g in groups) / (n.sum() - k)
    a = max(0.0, ((n * (m - np.average(m, weights=n)) ** 2).sum() - (k - 1) * msw_before) / (n.sum() - (n**2).sum() / n.sum()))
    v = msw_before / n
    w = 1 / (a + v)
    mu = np.average(m, weights=w)
    shrink = v / (v + a)
    expected = (1 - shrink) * m + shrink * mu
    variance = posterior_spread([m], [v], [expected])[0]
    change = np.array([np.mean(x) for x in after]) - expected[: len(after)]
    error = variance[: len(after)] + msw / np.array([len(x) for x in after])
    c = len(coached)
    raw = np.mean([np.mean(x) for x in after[:c]] - m[:c])
    tau, control_mean, control_variance = 0.0, 0.0, 0.0
    if control:
        d, u = change[c:], error[c:]
        if len(d) >= 4:
            q = ((d - np.average(d, weights=1 / u)) ** 2 / u).sum()
            tau = max(0.0, (q - (len(d) - 3)) / ((1 / u).sum() - (1 / u**2).sum() / (1 / u).sum()))
        control_mean = np.average(d, weights=1 / (u + tau))
        control_variance = 1 / (1 / (u + tau)).sum()
    corrected = change[:c].mean()
    se = np.sqrt((error[:c] + tau).mean() / c + control_variance)
    return {"raw": float(raw), "regression": float(raw - corrected), "control": float(control_mean),
            "effect": float(corrected - control_mean), "error": float(se)}


out["coaching"] = []
for coached, controls, others, n in ((1, 8, 0, 30), (2, 5, 3, 60), (1, 0, 9, 25), (1, 2, 6, 40)):
    def person(effect):
        theta = rng.normal(72000, 4000)
        draw = lambda shift: [int(x) for x in rng.normal(theta + shift, 11000, int(rng.integers(n - 10, n + 10)))]
        return [draw(0), draw(effect + rng.normal(1000, 1500))]
    groups = [[person(6000) for _ in range(coached)], [person(0) for _ in range(controls)], [person(0)[0] for _ in range(others)]]
    out["coaching"].append({"coached": groups[0], "control": groups[1], "others": groups[2], "expected": coaching(*groups)})

path = pathlib.Path(__file__).with_name("performance.json")
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
