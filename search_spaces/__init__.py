"""The searches that ship, one YAML file each, and the loader that checks them.

``load(find("tiny"))`` gives a ``SearchSpace``. README.md says how to write one.
"""

from search_spaces.dimensions import Choices, Dimension, FloatRange, IntRange, Point, Scalar, Value, Vary
from search_spaces.grid import GridTrial, grid_trials
from search_spaces.loading import find, load, load_dict, shipped
from search_spaces.problems import SearchSpaceError
from search_spaces.settings import Bounds, Latency, Objective, Sampler, Stopping, StoppingRule
from search_spaces.space import SearchSpace
from search_spaces.trial_fields import FIELDS, PRESETS, Base

__all__ = [
    "FIELDS",
    "PRESETS",
    "Base",
    "Bounds",
    "Choices",
    "Dimension",
    "FloatRange",
    "GridTrial",
    "IntRange",
    "Latency",
    "Objective",
    "Point",
    "Sampler",
    "Scalar",
    "SearchSpace",
    "SearchSpaceError",
    "Stopping",
    "StoppingRule",
    "Value",
    "Vary",
    "find",
    "grid_trials",
    "load",
    "load_dict",
    "shipped",
]
