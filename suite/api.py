"""The Python API: what ``import suite`` offers in a notebook.

Each function is a thin layer over the package that does the work, and imports it when it is called, so that
``import suite`` takes no time. The examples below run as doctests; ``examples/quickstart.py`` puts them together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.errors import RequestError
from suite.trial import MOST_BINS, NETWORKS, Attribute, Profile, TrialConfig, config_of_network

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from search_spaces import SearchSpace
    from suite.data.dataset import Dataset
    from suite.data.store import Store
    from suite.deployment.export import ExportedModel
    from suite.deployment.image_files import UnreadableFile
    from suite.deployment.inference import Model
    from suite.deployment.predict import Prediction
    from suite.runs.tables import Run
    from suite.training.fit import Fit


def load_space(name_or_file: str | Path, *, settings: Sequence[str] = ()) -> SearchSpace:
    """Load a search space and check it.

    Args:
        name_or_file: The name of a search space that ships, such as ``"tiny"``, or a YAML file.
        settings: Changes to it, each ``"key=value"`` as behind ``suite run --set``.

    Raises:
        SearchSpaceError: There is no such search space, or it is wrong; the message names the line.

    Examples:
        >>> import suite
        >>> space = suite.load_space("tiny", settings=["trials=4", "base.epochs=2"])
        >>> space.trials, space.base.epochs, space.objectives
        (4, 2, ('val_mae', 'params', 'macs'))
    """
    from search_spaces import find, load

    return load(find(str(name_or_file)), overrides=settings)


def load_store(name_or_folder: str | Path, *, on_progress: Callable[[int, int], None] | None = None) -> Store:
    """Open a packed data set: its images, the labels of all attributes, and how it is split.

    Args:
        name_or_folder: ``"faces"``, the embedded synthetic faces, which are rendered on first use (about a
            quarter of a minute on two cores) and then taken from the cache; or the folder of a set that
            ``suite data pack`` made.
        on_progress: Called with (done, total) while faces are rendered.

    Raises:
        RequestError: The folder holds no whole data set, or the name is both that of the embedded set and of a folder.

    Examples:
        >>> import suite
        >>> store = suite.load_store("faces")
        >>> store.images.shape[1:], store.images.dtype.name
        ((64, 64, 3), 'uint8')
        >>> sorted(store.info.attributes)
        ['age', 'attractiveness']
    """
    from suite.data.named_store import named_store

    return named_store(name_or_folder, on_progress)


def load_data(name_or_folder: str | Path, *, attribute: Attribute = "age", resolution: int = 64) -> Dataset:
    """Load one attribute of a data set at one resolution, to train on.

    Args:
        name_or_folder: As for ``load_store``.
        attribute: ``"age"`` (labels in years) or ``"attractiveness"`` (labels in points).
        resolution: Pixels a side. Images of another size are resized once and kept in the cache.

    Raises:
        RequestError: The folder holds no whole data set, or the set has no labels for the attribute.

    Examples:
        >>> import suite
        >>> data = suite.load_data("faces", resolution=32)
        >>> list(data.splits), data.label_range.high
        (['train', 'val', 'test'], 100.0)
        >>> data.splits["train"].images.shape[1:], data.splits["train"].labels.dtype
        (torch.Size([32, 32, 3]), torch.float32)
    """
    from suite.data.dataset import load_dataset

    return load_dataset(load_store(name_or_folder), attribute, resolution)


def config_for(network: str, data: Dataset, **fields: Any) -> TrialConfig:
    """Make the configuration of a training: a named network, trained on a data set.

    Attribute, resolution and label range are those of the data; every other field of ``TrialConfig`` has its
    default unless it is given.

    Args:
        network: ``"thin"``, ``"tiny"``, ``"micro"``, ``"thin-128"``, ``"vgg16"``, ``"vgg16-bn"`` or
            ``"resnet50"``.
        data: What it will be trained on.
        fields: Further fields of ``TrialConfig``, such as ``epochs=8``.

    Raises:
        RequestError: There is no network of this name.
        TypeError: ``TrialConfig`` has no such field.

    Examples:
        >>> import suite
        >>> config = suite.config_for("micro", suite.load_data("faces", resolution=32), epochs=2)
        >>> config.widths, config.resolution, config.label_high, config.epochs
        ((8, 16, 32, 64, 64), 32, 100.0, 2)
    """
    found = data.label_range
    return dataclasses.replace(
        _named_network(network),
        **{
            "attribute": data.attribute,
            "resolution": data.resolution,
            "label_low": found.low,
            "label_high": found.high,
            "label_step": found.step,
            **fields,
        },
    )


def fit(
    config: TrialConfig,
    data: Dataset,
    *,
    threads: int | None = None,
    device: str | torch.device | None = None,
) -> Fit:
    """Train a network: iterate over the result, which trains and validates one epoch at each step.

    Args:
        config: What to train and how.
        data: Of the configuration's attribute and resolution.
        threads: CPU threads of torch in this process; None leaves their number.
        device: ``"cpu"``, ``"cuda"``, ...; None takes CUDA where there is a GPU.

    Returns:
        An iterator of ``EpochResult``. Its ``network`` is the network as trained so far.

    Raises:
        RequestError: Configuration and data do not fit each other.
        DivergedError: The loss became NaN or infinite (raised while iterating).

    Examples:
        >>> import suite
        >>> data = suite.load_data("faces", resolution=32)
        >>> training = suite.fit(suite.config_for("micro", data, epochs=2), data)
        >>> [epoch.epoch for epoch in training if epoch.validation.mae > 0]
        [1, 2]
    """
    from suite.training.fit import fit as fit_network

    return fit_network(config, data, threads=threads, device=device)


def profile(network: str | TrialConfig, *, resolution: int | None = None, bins: int | None = None) -> Profile:
    """Count the parameters, multiply-adds and bytes of a network, without training it.

    Args:
        network: A name, as for ``config_for``, or a configuration.
        resolution: Pixels a side; None: 224 for a name, the configuration's own for a configuration.
        bins: Label bins; None: 101 (ages 0 to 100) for a name, the configuration's own for a configuration.

    Raises:
        RequestError: There is no network of this name, or none of this resolution or number of bins.

    Examples:
        >>> import suite
        >>> cost = suite.profile("tiny", resolution=64)
        >>> f"{cost.params:,} parameters, {cost.macs / 1e6:.0f} M multiply-adds"
        '934,869 parameters, 80 M multiply-adds'
    """
    from suite.measure.profiling import PAPER_RESOLUTION, profile_trial
    from suite.methods.labels import LabelSet

    if isinstance(network, str):
        network = dataclasses.replace(_named_network(network), resolution=PAPER_RESOLUTION)
    if resolution is not None:
        network = dataclasses.replace(network, resolution=resolution)
    if bins is None:
        bins = LabelSet(network.label_low, network.label_high, network.label_step).bins
    if bins > MOST_BINS:
        raise RequestError(
            f"a label set of {bins} bins is larger than {MOST_BINS:,}, the most that there may be"
        )
    return profile_trial(network, bins)


def read_run(location: str | Path) -> Run:
    """Read a run folder, while the search runs or after it ended.

    Args:
        location: The folder, or its ``s3://`` URL.

    Returns:
        A ``Run``: ``trials`` is a data frame with one row per trial, ``epochs`` one with a row per trial and epoch,
        ``info`` is what ``run.json`` says. docs/runs.md describes the columns.

    Raises:
        RequestError: There is no run at the location, or it is of another schema version.

    Examples:
        >>> import suite
        >>> run = suite.read_run("runs/example")
        >>> run.trials[["id", "status", "val_mae_years"]].head(2)
              id    status  val_mae_years
        0  t0000  finished           30.0
        1  t0001  finished           31.0
    """
    from suite.runs.storage.location import read_run_at

    text = str(location)
    return read_run_at(text if text.startswith("s3://") else Path(location))


def front(run: Run | str | Path) -> pd.DataFrame:
    """The Pareto front of a search: its finished trials that no other trial beats in every objective.

    The front is that of the validation metrics of the search itself. Where its members were trained again,
    those trainings are the rows of ``run.trials`` whose ``stage`` is ``"confirm"``, and the report ranks by them.
    A trial that errs more for its worst group of people than the search's bound allows is not on it.

    Args:
        run: As ``read_run`` gives it, or its location.

    Returns:
        The rows of ``run.trials`` on the front, by rising validation error.

    Raises:
        RequestError: There is no run at the location.

    Examples:
        >>> import suite
        >>> suite.front("runs/example")[["id", "val_mae_years", "params"]]
              id  val_mae_years  params
        0  t0000           30.0    8397
        1  t0001           31.0    6796
    """
    from suite.runs.front import front_rows

    if isinstance(run, str | Path):
        run = read_run(run)
    if run.trials.empty:  # it has only begun
        return run.trials
    rows = [{str(name): cell for name, cell in row.items()} for row in run.trials.to_dict("records")]
    members = [
        str(row["id"]) for row in front_rows(rows, run.info.objectives, run.info.error_column, run.info.most)
    ]
    return run.trials.set_index("id", drop=False).loc[members].reset_index(drop=True)


def export(run: str | Path, trial: str, path: str | Path, *, data: str | Path | None = None) -> ExportedModel:
    """Export a trained trial of a run as one file, and compare the file with PyTorch before it is kept.

    Args:
        run: The run folder.
        trial: The ``id`` of a finished trial, such as ``"t0007"``.
        path: The file: ``.onnx``, ``.pt2`` (``torch.export``) or ``.safetensors``.
        data: Where the data of the run is now, if its folder was moved.

    Raises:
        RequestError: There is no such trial, the file cannot be written, or a package is missing.
        MismatchError: The file's answers differ from PyTorch's; nothing is written then.

    Examples:
        >>> import suite
        >>> exported = suite.export("runs/example", "t0000", "t0000.onnx")
        >>> exported.path.name, exported.verification.images
        ('t0000.onnx', 40)
    """
    from suite.deployment.calibration_fit import calibration_of
    from suite.deployment.export import export as write
    from suite.deployment.inference_module import InferenceModule
    from suite.deployment.trained_trial import open_trial
    from suite.files.paths import resolved

    folder, moved = resolved(run), None if data is None else str(data)
    trained = open_trial(folder, trial, lambda stage: None, lambda done, total: None, data=moved)
    module = InferenceModule(trained.network, trained.config, trained.label_set, calibration_of(trained))
    return write(module, trained.config, trained.dataset.splits["val"], Path(path))


def export_fit(training: Fit, data: Dataset, path: str | Path) -> ExportedModel:
    """Export the network of a training as one file, and compare the file with PyTorch before it is kept.

    Args:
        training: As ``fit`` gives it, after its epochs.
        data: What it was trained on; the comparison runs on its validation images, and the intervals are calibrated
            on them, each as the image of another person.
        path: The file: ``.onnx``, ``.pt2`` (``torch.export``) or ``.safetensors``.

    Raises:
        RequestError: The file cannot be written, or a package is missing.
        MismatchError: The file's answers differ from PyTorch's; nothing is written then.

    Examples:
        >>> import suite
        >>> data = suite.load_data("faces", resolution=32)
        >>> training = suite.fit(suite.config_for("micro", data, epochs=1), data)
        >>> for epoch in training:
        ...     pass
        >>> suite.export_fit(training, data, "micro.onnx").arithmetic
        'float32'
    """
    import copy

    from suite.deployment.calibration_fit import fit_on_images
    from suite.deployment.export import export as write
    from suite.deployment.inference_module import InferenceModule

    network = copy.deepcopy(training.network).cpu()  # the training may go on, on its own device
    calibration = fit_on_images(network, training.config, data.splits["val"])
    module = InferenceModule(network, training.config, training.label_set, calibration)
    return write(module, training.config, data.splits["val"], Path(path))


def open_model(path: str | Path, *, trust_code: bool = False) -> Model:
    """Open a model file: an export, or the weights of a run. ONNX files are run without PyTorch.

    Args:
        path: A ``.onnx``, ``.pt2`` or ``.safetensors`` file.
        trust_code: Open a ``.pt2`` file that you did not export on this machine. It can run any code of its author.

    Returns:
        A ``Model``; ``model.run`` takes pixels, uint8 (n, resolution, resolution, 3) in RGB.

    Raises:
        RequestError: It is missing or not a model of this suite, a package is missing, or it would run code that is
            not trusted.

    Examples:
        >>> import suite
        >>> model = suite.open_model("runs/example/weights/t0000.safetensors")
        >>> model.config.attribute, model.config.resolution
        ('age', 32)
    """
    from suite.deployment.inference import open_model as open_file

    return open_file(Path(path), trust_code=trust_code)


def predict(
    model: Model | str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    mirror: bool = True,
    batch_size: int = 64,
    trust_code: bool = False,
) -> list[Prediction | UnreadableFile]:
    """Estimate the faces of image files, with 80 % intervals where the file is calibrated or gives a distribution.

    Faces must be cropped like those that the model was trained on: the middle square of each image is scaled
    to the model's resolution.

    Args:
        model: An opened model, or its file.
        images: Image files, and folders of image files.
        mirror: Average with the mirror image, as the metrics of a run do.
        batch_size: Images that are decoded and estimated at a time.
        trust_code: As for ``open_model``.

    Returns:
        A ``Prediction`` for each image, or ``UnreadableFile`` with the reason where it or a folder could not be read;
        ``pandas.DataFrame(predictions)`` makes a table of predictions.

    Raises:
        RequestError: The model cannot be opened.

    Examples:
        >>> import suite
        >>> (prediction,) = suite.predict("runs/example/weights/t0000.safetensors", "face.png")
        >>> prediction.file, prediction.low < prediction.high
        ('face.png', True)
    """
    from suite.deployment.image_files import find_images
    from suite.deployment.predict import predict_files

    if isinstance(model, str | Path):
        model = open_model(model, trust_code=trust_code)
    paths = [images] if isinstance(images, str | Path) else images
    found = find_images(Path(path) for path in paths)
    return [*found.unreadable, *predict_files(model, found.files, batch=batch_size, mirrored=mirror)]


def _named_network(name: str) -> TrialConfig:
    if name not in NETWORKS:
        raise RequestError(f"there is no network {name!r}; choose from {', '.join(NETWORKS)}")
    return config_of_network(name)
