"""The metrics in plain numpy, one site at a time; written from the papers, not from the package."""

import numpy as np


def expected(s, o):
    s, o = np.asarray(s, float), np.asarray(o, float)
    ok = ~(np.isnan(s) | np.isnan(o))
    s, o = s[ok], o[ok]
    n = len(s)
    ms, mo = sum(s) / n, sum(o) / n
    vs, vo = sum((s - ms) ** 2) / n, sum((o - mo) ** 2) / n
    r = sum((s - ms) * (o - mo)) / n / np.sqrt(vs * vo)
    alpha, beta = np.sqrt(vs / vo), ms / mo
    gamma = (np.sqrt(vs) / ms) / (np.sqrt(vo) / mo)
    rmse, bias = np.sqrt(sum((s - o) ** 2) / n), ms - mo
    return {
        "rmse": rmse,
        "ubrmse": np.sqrt(sum((s - ms - (o - mo)) ** 2) / n),
        "bias": bias,
        "correlation": r,
        "nse": 1 - sum((s - o) ** 2) / sum((o - mo) ** 2),
        "kge_2009": 1 - np.sqrt((r - 1) ** 2 + (alpha - 1) ** 2 + (beta - 1) ** 2),
        "kge_2012": 1 - np.sqrt((r - 1) ** 2 + (gamma - 1) ** 2 + (beta - 1) ** 2),
        "count": n,
    }
