"""The Optuna sampler that a search space names."""

import warnings

import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from search_spaces import SearchSpace

#: Suggestions drawn at random before TPE has enough results to model (Optuna's default is 10).
TPE_STARTUP = 8


def make_sampler(space: SearchSpace, *, seed: int, concurrent: int) -> BaseSampler:
    """Return the sampler that the space names, scaled to its number of trials.

    Args:
        space: The search space.
        seed: Of the sampler.
        concurrent: Trials that train at the same time.
    """
    if space.sampler in ("random", "grid"):  # a grid is enqueued whole, and nothing of it is drawn
        return RandomSampler(seed=seed)
    if space.sampler == "nsga2":  # Deb 2002; about five generations, however few the trials
        return NSGAIISampler(seed=seed, population_size=max(4, min(50, space.trials // 5)))
    # Bergstra 2011, Ozaki 2022. Concurrent suggestions must not fall on the same spot. One model of all
    # dimensions together (Falkner 2018) takes a quarter of the time that a model for each takes.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(
            seed=seed, n_startup_trials=TPE_STARTUP, constant_liar=concurrent > 1, multivariate=True
        )
