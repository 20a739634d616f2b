"""The section of a model card on decisions by an estimated age."""

import numpy as np

from suite.deployment.card_accuracy import SPLIT_NAME, SplitPredictions
from suite.deployment.markdown import plain, table
from suite.deployment.trained_trial import TrainedTrial, groups_in, people_in
from suite.statistics.age_threshold import (
    EVERYBODY,
    AgeThreshold,
    accepted,
    decisions_by_group,
    heads,
    rule_in_words,
)


def threshold_section(trained: TrainedTrial, predictions: SplitPredictions, threshold: AgeThreshold) -> str:
    """Return the section; empty where the file estimates something else than ages.

    Args:
        trained: The trial.
        predictions: Of the file on a split.
        threshold: The age that is asked for, and the challenge age.
    """
    if trained.config.attribute != "age":
        return ""
    labels = trained.store.labels.iloc[trained.store.rows(predictions.split)].reset_index(drop=True)
    found = decisions_by_group(
        accepted(predictions.outputs.values.astype(np.float64), threshold),
        labels["age"].to_numpy(np.float64),
        people_in(labels),
        groups_in(labels),
        threshold,
    )
    parts = [
        f"## Age threshold, on the {SPLIT_NAME[predictions.split]} split",
        f"{rule_in_words(threshold)} The ages are the labels of the set, which may themselves be estimates.",
    ]
    for by, rows in found.items():
        titles = heads("" if by == EVERYBODY else plain(by), threshold)
        parts.append(table(titles, [[plain(row.cells[0]), *row.cells[1:]] for row in rows]))
    return "\n\n".join(parts)
