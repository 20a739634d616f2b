"""What is said of weight sharing in sentences, by the page and by the command line alike."""

import math

from reports import formatting
from reports.model.confirmation import procedure_in_words, seeds_asked
from reports.model.confirmation_agreement import Agreement
from reports.model.shared_weights import SharedWeights
from suite.runs.info import RunInfo
from suite.statistics.rank_correlation import FEWEST_PAIRS, RankCorrelation


def ranking_sentence(shared: SharedWeights) -> str:
    """State how well the slices' errors rank the fine-tuned networks, or that there are too few to say."""
    pairs = len(shared.pairs)
    if shared.ranking is None:
        known = (
            f"{formatting.count(pairs, 'finished trial')} {'has' if pairs == 1 else 'have'} a scored slice"
        )
        return f"Too few to say how well the slices rank the fine-tuned networks: {known}, and it takes {FEWEST_PAIRS}."
    if math.isnan(shared.ranking.tau):
        return (
            f"How well the slices rank the fine-tuned networks cannot be said: over {pairs:,} trials, "
            "all slices or all networks have the same error."
        )
    over = f"{pairs:,} trials"
    if shared.ranking.pairs < pairs:
        over = f"{shared.ranking.pairs:,} of {pairs:,} trials, evenly spread"
    return (
        "The errors of the slices rank the fine-tuned networks with a Kendall's tau-b of "
        f"{correlation(shared.ranking)}, over {over}."
    )


def correlation(found: RankCorrelation) -> str:
    """Return tau with its interval: "0.71 (95 % interval 0.52 to 0.86)"."""
    tau = f"{found.tau + 0.0:.2f}"
    if not math.isfinite(found.low):
        return f"{tau} (no interval: every resample has the same)"
    return f"{tau} ({100 * found.confidence:.3g}\u00a0% interval {found.low + 0.0:.2f} to {found.high + 0.0:.2f})"


def confirmation_sentence(info: RunInfo) -> str:
    """State how a run that shares weights confirms its front; empty if it does not."""
    how, seeds = procedure_in_words(info), seeds_asked(info)
    if not how or seeds == 1:
        return ""
    return f"The front is confirmed with {seeds} seeds {how}."


def agreement_sentence(found: Agreement, unit: str) -> str:
    """State how far the errors by the whole procedure and those of networks trained alone are apart."""
    members, mean = len(found.members), found.mean
    apart = formatting.signed(mean.mean, unit)
    text = (
        f"Errors by the whole procedure minus those of the same networks trained alone: {apart} {unit} on "
        f"average over {formatting.count(members, 'member')}"
    )
    if members > 1:
        ends = f"{formatting.signed(mean.low, unit)} to {formatting.signed(mean.high, unit)}"
        text += f" (95\u00a0% interval over members {ends})"
    return f"{text}."


def agreement_ranking_sentence(found: Agreement) -> str:
    """State how both ways order the members, or that there are too few to say."""
    if found.ranking is None:
        return f"They are too few to say whether both order the members alike: it takes {FEWEST_PAIRS}."
    if math.isnan(found.ranking.tau):
        return "How both order the members cannot be said: all errors of one are the same."
    return f"Both order the members with a Kendall's tau-b of {correlation(found.ranking)}."
