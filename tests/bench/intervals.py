"""How often a 95 % interval of the mean holds the true mean: Student t against two bootstraps, at few replicates.

python tests/bench/intervals.py
"""

import argparse
import warnings

import numpy as np
from scipy import stats

from ucnp_abm.study.numbers.statistics import mean

SIZES = (4, 8, 16)
DATA = {
    "normal": (0.0, lambda rng, n: rng.normal(size=n)),
    "Poisson, mean 3": (3.0, lambda rng, n: rng.poisson(3.0, size=n).astype(float)),
    "log-normal, sigma 0.5": (np.exp(0.125), lambda rng, n: rng.lognormal(0.0, 0.5, size=n)),
    "exponential": (1.0, lambda rng, n: rng.exponential(size=n)),
}


def student(values, rng):
    found = mean(values)
    return found.low, found.high


def bootstrap(method):
    def interval(values, rng):
        if np.ptp(values) == 0:
            return values[0], values[0]
        found = stats.bootstrap((values,), np.mean, method=method, n_resamples=999, vectorized=True, random_state=rng)
        return found.confidence_interval

    return interval


METHODS = {"Student t": student, "percentile": bootstrap("percentile"), "BCa": bootstrap("BCa")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    trials = parser.parse_args().trials
    error = 100 * np.sqrt(0.95 * 0.05 / trials)
    print(f"share / % of {trials} intervals that hold the true mean (nominal 95, standard error {error:.1f})")
    print(f"{'data':<24}{'n':>4}" + "".join(f"{name:>14}" for name in METHODS))
    for title, (truth, draw) in DATA.items():
        for n in SIZES:
            rng = np.random.default_rng(20231206 + n)
            held = dict.fromkeys(METHODS, 0)
            for _ in range(trials):
                values = draw(rng, n)
                for name, method in METHODS.items():
                    low, high = method(values, rng)
                    held[name] += low <= truth <= high
            print(f"{title:<24}{n:>4}" + "".join(f"{100 * count / trials:>14.1f}" for count in held.values()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # BCa warns where values repeat
    main()
