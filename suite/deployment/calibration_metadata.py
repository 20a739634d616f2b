"""The calibration of a model file as text in the file's metadata. Reading it needs no PyTorch."""

import dataclasses
import itertools
import json
import math

from suite.files.reading import FileContentError, parse_typed
from suite.statistics.clustered import BAND
from suite.statistics.conformal import FEWEST_PEOPLE, MOST_BANDS, SHARE, Calibration, LabelBands
from suite.trial import TrialConfig

#: The key of the calibration, as JSON, in the metadata of a file.
CALIBRATION_KEY = "calibration"
#: Several times the longest that the suite writes.
LARGEST_CALIBRATION = 20_000  # characters
#: For what is a quotient of rounded numbers.
ROUNDING = 1 + 1e-6


def bands_of(config: TrialConfig) -> LabelBands:
    """Return the label range of a configuration with the bands that errors are reported by."""
    return LabelBands(config.label_low, config.label_high, config.label_step, BAND[config.attribute])


def calibration_json(calibration: Calibration) -> str:
    """Return a calibration as one line of JSON, which ``parse_calibration`` reads back exactly."""
    return json.dumps(dataclasses.asdict(calibration))


def parse_calibration(text: object, config: TrialConfig) -> Calibration | None:
    """Read the calibration of a file that anybody may have made.

    Args:
        text: The entry of its metadata; None where there is none.
        config: The configuration in the same metadata.

    Raises:
        FileContentError: It is no calibration of such a network.
    """
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > LARGEST_CALIBRATION:
        raise FileContentError(f"its calibration is no text of at most {LARGEST_CALIBRATION:,} characters")
    try:
        found = parse_typed(text, Calibration)
    except FileContentError as error:
        raise FileContentError(f"its calibration cannot be used: {error}") from None
    if fault := _fault(found, config):
        raise FileContentError(f"its calibration cannot be used: {fault}")
    return found


def _fault(found: Calibration, config: TrialConfig) -> str:
    """Return what no fit can have given, in a few words; empty where there is no such thing."""
    width, highest = config.label_high - config.label_low, found.deviation_high or 0.0
    bands = ((found.edges, found.reaches), (found.label_edges, found.label_reaches))
    numbers = (found.share, found.floor, found.estimate_low, found.estimate_high, highest)
    if not all(math.isfinite(number) for number in itertools.chain(numbers, *itertools.chain(*bands))):
        return "a number is infinite or not a number"
    if found.share != SHARE:
        return f"its intervals hold {found.share:g} of the labels, and only {SHARE:g} is known"
    if not 0 < found.floor <= width:
        return f"its smallest deviation is {found.floor:g}"
    farthest = width / (found.floor if found.scale == "deviation" else 1.0) * ROUNDING
    if fault := next(filter(None, (_band_fault(*each, farthest, config) for each in bands)), ""):
        return fault
    if not FEWEST_PEOPLE <= found.people <= found.images:
        return f"it was fitted on {found.images:,} images of {found.people:,} people"
    is_range = found.estimate_low <= found.estimate_high and highest >= 0
    if not is_range or (found.deviation_high is None) != (found.scale == "unit"):
        return "its usual estimates or deviations are no range"
    return ""


def _band_fault(
    edges: tuple[float, ...], reaches: tuple[float, ...], farthest: float, config: TrialConfig
) -> str:
    """Return what no fit can have given of the bands and their reaches; empty where there is no such thing."""
    if not 2 <= len(edges) <= MOST_BANDS + 1 or len(reaches) != len(edges) - 1:
        return f"it has {len(reaches):,} reaches for {len(edges):,} ends of bands"
    is_rising = all(low < high for low, high in itertools.pairwise(edges))
    if not is_rising or (edges[0], edges[-1]) != (config.label_low, config.label_high):
        return f"its bands do not rise from {config.label_low:g} to {config.label_high:g}"
    if not all(0 <= reach <= farthest for reach in reaches):
        return f"a reach is not between 0 and {farthest:g}"
    return ""
