"""The metrics in plain numpy, one site at a time; written from the papers, not from the package."""

import itertools

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


def expected_flow(s, o, days=None):
    """The metrics of streamflow at one site, flow by flow."""
    s, o = [float(v) for v in s], [float(v) for v in o]
    days = list(range(len(o))) if days is None else list(days)
    known = [i for i in range(len(o)) if s[i] == s[i] and o[i] == o[i]]
    s, o, days = [s[i] for i in known], [o[i] for i in known], [days[i] for i in known]
    n = len(o)
    n_low, n_high = max(round(0.3 * n), 1), max(round(0.02 * n), 1)
    rising_s, rising_o = sorted(s), sorted(o)
    floor = 1e-6 * sum(o) / n

    def log(q):
        return np.log(max(q, floor))

    def low_volume(rising):
        return sum(log(q) - log(rising[0]) for q in rising[:n_low])

    def slope(values):
        return log(np.quantile(values, 0.8)) - log(np.quantile(values, 0.3))

    def rmse(at):
        return np.sqrt(sum((s[i] - o[i]) ** 2 for i in at) / len(at))

    top_s, top_o = sum(rising_s[-n_high:]), sum(rising_o[-n_high:])
    return {
        "percent_bias": 100 * (sum(s) - sum(o)) / sum(o),
        "fhv": 100 * (top_s - top_o) / top_o,
        "fms": 100 * (slope(s) - slope(o)) / slope(o),
        "flv": -100 * (low_volume(rising_s) - low_volume(rising_o)) / low_volume(rising_o),
        "rmse_low": rmse([i for i in range(n) if o[i] <= rising_o[n_low - 1]]),
        "rmse_high": rmse([i for i in range(n) if o[i] >= rising_o[-n_high]]),
        "count": n,
    }


def expected_baseflow(q, alpha=0.925, reflected=30):
    """Baseflow of one gapless series after Lyne and Hollick, by the quickflow of their paper."""
    flow = [q[i] for i in range(reflected, 0, -1)] + list(q) + [q[-1 - i] for i in range(1, reflected + 1)]
    for _ in range(3):
        quick, base = [0.0], [flow[0]]
        for before, now in itertools.pairwise(flow):
            quick.append(alpha * quick[-1] + (1 + alpha) / 2 * (now - before))
            base.append(now - quick[-1] if quick[-1] > 0 else now)
        flow = base[::-1]
    return np.array(flow[::-1][reflected:-reflected])
