"""The calibration of a trained network, fitted on the predictions of its run for the validation split."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from suite.data.dataset import LabelledImages
from suite.deployment.calibration_metadata import bands_of
from suite.deployment.trained_trial import TrainedTrial, people_in
from suite.methods.labels import label_set_of
from suite.runs.tables import read_predictions
from suite.statistics.clustered import people_of
from suite.statistics.conformal import Calibration, fit
from suite.training.evaluation import predict_with_deviations
from suite.trial import TrialConfig


def calibration_of(trained: TrainedTrial) -> Calibration | None:
    """Return the calibration of a trial's network; None where validation has too few people.

    It is fitted on the predictions that the run keeps of the trial. Where the run keeps none, or kept them before they
    had deviations, the network predicts the validation split once more.

    Raises:
        RequestError: The file of the predictions is damaged.
    """
    kept = read_predictions(trained.run.folder, trained.id)
    if kept is not None and "deviation" in kept:
        return fit_on_predictions(kept, trained.config)
    labels = trained.store.labels.iloc[trained.store.rows("val")]
    return fit_on_images(trained.network, trained.config, trained.dataset.splits["val"], people_in(labels))


def fit_on_predictions(predictions: pd.DataFrame, config: TrialConfig) -> Calibration | None:
    """Fit the calibration on the validation rows of ``predictions/ID.parquet``; None where people are too few.

    Args:
        predictions: The table, with the column ``deviation``; empty cells: the method gives no distribution.
        config: The configuration of the network.
    """
    rows = predictions[predictions["split"] == "val"]
    deviations = rows["deviation"].to_numpy(np.float64)
    return fit(
        rows["label"].to_numpy(np.float64),
        rows["estimate"].to_numpy(np.float64),
        None if np.isnan(deviations).any() else deviations,
        rows["person"].astype(str).to_numpy(dtype=np.str_),
        bands_of(config),
    )


def fit_on_images(
    network: nn.Module, config: TrialConfig, part: LabelledImages, people: npt.NDArray[np.str_] | None = None
) -> Calibration | None:
    """Fit the calibration on images that the network was not trained on; None where people are too few.

    Args:
        network: On the CPU.
        config: Its configuration.
        part: The images.
        people: Who is pictured, str (n,); None: somebody else in each image.
    """
    predicted = predict_with_deviations(
        network,
        part,
        label_set_of(config),
        method=config.method,
        precision="float32",
        device=torch.device("cpu"),
    )
    return fit(
        part.labels.double().numpy(),
        predicted.estimates.double().numpy(),
        None if predicted.deviations is None else predicted.deviations.double().numpy(),
        people_of(np.full(len(part), "")) if people is None else people,
        bands_of(config),
    )
