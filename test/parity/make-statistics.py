"""Golden values of scipy and statsmodels for the statistics of evaluation.

Versions: scipy and statsmodels as printed in the file's `versions`.
    python test/parity/make-statistics.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(11)
wilson = [[k, n, *proportion_confint(k, n, method="wilson")] for n in [1, 5, 29, 191, 529, 3040] for k in sorted({0, 1, n // 3, n - 1, n})]
mc = [[b, c, float(mcnemar([[7, b], [c, 9]], exact=True).pvalue)] for b, c in [(0, 0), (1, 0), (3, 3), (5, 12), (40, 61), (120, 80), (700, 812)]]


def cluster_error(values, groups):
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True})
    return float(fit.bse[0])


clusters = []
for n, g in [(40, 8), (200, 37), (60, 60)]:
    groups = rng.integers(0, g, n) if g < n else np.arange(n)
    values = np.round(rng.random(n) * 0.6 + 0.4 * (groups % 2), 3)
    clusters.append({"values": values.tolist(), "groups": [str(x) for x in groups], "error": cluster_error(values, groups)})
macro = []
for sizes in [(30, 50, 90), (12, 20)]:
    values, groups, names, errors = [], [], [], []
    for index, n in enumerate(sizes):
        part = rng.integers(0, 2, n).astype(float)
        members = rng.integers(0, n // 3, n)
        values += part.tolist()
        groups += [f"g{index}"] * n
        names += [f"{index}-{m}" for m in members]
        errors.append(cluster_error(part, members))
    macro.append({"values": values, "groups": groups, "clusters": names, "error": float(np.sqrt(np.sum((np.array(errors) / len(sizes)) ** 2)))})
tables = [rng.random(n).round(4).tolist() for n in (1, 5, 27)] + [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.001]]
power = NormalIndPower(ddof=0)
powers = [[d, s, n, float(power.power(d / s, n, 0.05, ratio=0))] for d, s, n in [(0.01, 0.5, 3000), (0.05, 0.6, 191), (0.1, 0.4, 529), (0.002, 0.3, 23609)]]
detectable = [[s, n, p, float(power.solve_power(nobs1=n, alpha=0.05, power=p, ratio=0) * s)] for s, n, p in [(0.5, 3000, 0.8), (0.6, 191, 0.8), (0.4, 529, 0.9)]]
golden = {
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "wilson": wilson, "mcnemar": mc, "clusters": clusters, "macro": macro,
    "holm": [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in tables],
    "power": powers, "detectable": detectable,
    "normal": [[z, float(stats.norm.cdf(z))] for z in [-30.0, -8.5, -4.2, -3.0, -1.96, -0.3, 0.0, 0.7, 2.5, 6.0]],
    "quantile": [[p, float(stats.norm.ppf(p))] for p in [1e-12, 1e-4, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999999]],
}
target = Path(__file__).parent / "golden" / "statistics.json"
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(f"{target}: {target.stat().st_size} bytes")
