"""What each command does. Heavy packages are imported by the command that needs them."""

import argparse
import dataclasses
import json
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.cli.overrides import overrides
from suite.errors import RequestError

if TYPE_CHECKING:
    from search_spaces import SearchSpace
    from suite.data.store import Store
    from suite.runs.info import RunInfo
    from suite.runs.storage.workplace import Expected, Workplace
    from suite.runs.tables import Run

DONE, WORK_FAILED, INTERRUPTED = 0, 1, 130


def run(options: argparse.Namespace) -> int:
    """``suite run``: a search, from its space to its report."""
    from search_spaces import SearchSpaceError, find, load

    given, inherits = overrides(options), dict[str, Any]()
    if options.parent is not None:
        from suite.compression.parent import inherited

        data, inherits = inherited(options.parent)
        given = [f"data={json.dumps(data)}", *given]
    try:
        path = find(options.search)
        space = load(path, overrides=given, inherited=inherits)
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None
    place = options.out or Path("runs") / f"{space.name}-{datetime.now():%Y%m%d-%H%M%S}"
    store = _open_data(space.data)

    from suite.runs.info import Resources
    from suite.search.engine import Search, resume_search, run_search

    def carry_out(at: "Workplace") -> "RunInfo":
        folder, asked = at.folder.resolve(), _resources_asked(options)
        if options.or_resume and at.holds_run:
            _check_same_search(at, space, store)
            return resume_search(folder, asked, at.watcher)
        search = Search(space, store, folder, Resources(**asked), at.watcher)
        return run_search(search, str(path), ["suite", *sys.argv[1:]])

    return _work_at(place, "either" if options.or_resume else "nothing", carry_out)


def resume(options: argparse.Namespace) -> int:
    """``suite resume``: go on with an interrupted search."""
    from suite.search.engine import resume_search

    def go_on(at: "Workplace") -> "RunInfo":
        changes = _resources_asked(options)
        return resume_search(at.folder.resolve(), changes, at.watcher, options.confirm_seeds)

    return _work_at(options.run, "run", go_on)


def profile(options: argparse.Namespace) -> int:
    """``suite profile``: what a network costs, without training it."""
    from suite.measure.profiling import profile_trial
    from suite.trial import config_of_network

    config = dataclasses.replace(config_of_network(options.network), resolution=options.resolution)
    cost = profile_trial(config, options.bins)
    if options.json:
        print(json.dumps({"network": options.network, **dataclasses.asdict(cost)}))
    else:
        print(f"{options.network} at {options.resolution} pixels, {options.bins} bins")
        print(f"  parameters    {cost.params:,}")
        print(f"  multiply-adds {cost.macs:,}")
        print(f"  bytes         {cost.bytes:,} as safetensors, float32")
    return DONE


def paper(options: argparse.Namespace) -> int:
    """``suite paper``: show the paper's claims beside what is counted and timed here; nothing is trained."""
    from reports.model.paper import networks_to_measure
    from reports.text.paper_json import paper_json
    from reports.text.paper_text import paper_text
    from suite.cli.progress import CountedProgress
    from suite.measure.paper import measure_paper

    def on_stage(stage: str) -> CountedProgress:
        print(stage, file=sys.stderr, flush=True)
        return CountedProgress(stage)

    measured = measure_paper(networks_to_measure(), options.seconds if options.latency else 0.0, on_stage)
    print(json.dumps(paper_json(measured)) if options.json else paper_text(measured))
    return DONE


def pretrain(options: argparse.Namespace) -> int:
    """``suite pretrain``: a backbone from the identities of a data set."""
    from suite.trial import config_of_network

    path: Path = options.output
    if path.suffix != ".safetensors":
        raise RequestError(f"{path} does not end in .safetensors; name the output so")
    if path.exists() and not options.overwrite:
        raise RequestError(f"{path} is there already; name another file, or add --overwrite")
    config = dataclasses.replace(
        config_of_network(options.network),
        epochs=options.epochs,
        resolution=options.resolution,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    store = _open_data(options.data)

    from suite.cli.progress import describe_pretraining
    from suite.training.fit import DivergedError
    from suite.training.pretraining import pretrain as train
    from suite.trial import IdentityEpoch

    epochs: list[IdentityEpoch] = []

    def tell(epoch: IdentityEpoch) -> None:
        epochs.append(epoch)
        print(describe_pretraining(epochs, config.epochs), file=sys.stderr, flush=True)

    def kept() -> str:
        return f"has epoch {epochs[-1].epoch} of {config.epochs}" if epochs else "is not written yet"

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        train(config, store, path, tell)
    except KeyboardInterrupt:
        print(f"Interrupted; {path} {kept()}.")
        return INTERRUPTED
    except DivergedError as diverged:
        print(f"suite: {diverged}; lower --learning-rate; {path} {kept()}", file=sys.stderr)
        return WORK_FAILED
    print(f"{path}: start from it with --set base.backbone={path}")
    return DONE


def data_list(options: argparse.Namespace) -> int:
    """``suite data list``: the embedded set, and the sets that can be packed."""
    from suite.data.sets import READERS

    width = max(map(len, READERS))
    print(f"{'faces':{width}s}  embedded: synthetic faces, rendered on first use; age and attractiveness")
    for name, reader in READERS.items():
        print(f"{name:{width}s}  {reader.description}")
    return DONE


def data_pack(options: argparse.Namespace) -> int:
    """``suite data pack``: decode a public set once, into a store that every trial shares."""
    from suite.cli.progress import CountedProgress
    from suite.data.packing import pack
    from suite.data.protocols import SplitRequest
    from suite.data.readers.manifest import MANIFEST, manifest_reader
    from suite.data.sets import READERS

    if options.set == "faces":
        raise RequestError(
            "faces comes with the suite and needs no packing; use it by its name, --data faces"
        )
    if options.set not in READERS:
        raise RequestError(f"{options.set!r} is no set that can be packed; there are: {', '.join(READERS)}")
    reader = READERS[options.set]
    if options.attribute:
        if reader is not MANIFEST:
            raise RequestError(f"--attribute goes with a manifest; {options.set} has labels of its own")
        reader = manifest_reader(options.attribute)
    store = pack(
        reader,
        options.path,
        options.output,
        size=options.size,
        workers=options.workers,
        splitting=SplitRequest(options.protocol, options.fold, options.folds, options.seed),
        align=options.align,
        max_skipped=options.max_skipped,
        overwrite=options.overwrite,
        on_progress=CountedProgress("packing"),
    )
    skipped = (
        f"; {store.info.skipped} skipped, see {store.folder / 'skipped.csv'}" if store.info.skipped else ""
    )
    print(f"{store.info.images:,} images of {store.info.side} pixels in {store.folder}{skipped}")
    print(f"{store.info.origin} {store.info.protocol}")
    return DONE


def data_check(options: argparse.Namespace) -> int:
    """``suite data check``: whether packed data can be trusted."""
    from suite.data.checking import check_store

    found = check_store(_open_data(options.data))
    for line in found.facts:
        print(line)
    for problem in found.problems:
        print(f"suite: {problem}", file=sys.stderr)
    if not found.problems:
        print("nothing wrong was found")
    return WORK_FAILED if found.problems else DONE


def data_show(options: argparse.Namespace) -> int:
    """``suite data show``: a contact sheet, ordered by the attribute."""
    from suite.data.contact_sheet import write_sheet

    store = _open_data(options.data)
    attribute = options.attribute or min(store.info.attributes)  # age, where there is a choice
    write_sheet(store, options.output, columns=options.columns, rows=options.rows, attribute=attribute)
    print(options.output)
    return DONE


def _open_data(name: str) -> "Store":
    """An embedded set by name, or a packed one by its folder."""
    from suite.cli.progress import CountedProgress
    from suite.data.store import open_store

    if name == "faces":
        from suite.data.faces.embedded import faces_store

        return faces_store(on_progress=CountedProgress("rendering faces (once; then from the cache)"))
    return open_store(Path(name).resolve())


def _work_at(place: Path | str, expects: "Expected", work: Callable[["Workplace"], "RunInfo"]) -> int:
    """Have a session of a search done, write the report of what it came to, and say what comes next."""
    from suite.cli.progress import watcher_for
    from suite.runs.storage.workplace import workplace
    from suite.runs.tables import read_run

    watcher = watcher_for()
    try:
        with workplace(place, watcher, expects=expects) as at:
            info = work(at)
            run = read_run(at.folder)
            _write_report_of(run, at)
    finally:
        watcher.close()
    return _conclude(at, run, info)


def _write_report_of(run: "Run", at: "Workplace") -> None:
    """Write the report beside what it reports.

    Raises:
        RequestError: there is no room for it.
    """
    from reports.html.page import write_report
    from suite.search.study.importance import importances

    try:
        write_report(run, at.folder / "report.html", importances(run), at.shown)
    except OSError as error:
        raise RequestError(
            f"{at.shown_file('report.html')} cannot be written ({error.strerror}); all else is kept: make "
            f"room, then 'suite report {shlex.quote(at.shown)}'"
        ) from None


def _check_same_search(at: "Workplace", space: "SearchSpace", store: "Store") -> None:
    """Refuse to go on with a run of another search.

    Raises:
        RequestError: it is one.
    """
    from search_spaces import SearchSpaceError, load_dict
    from suite.runs.tables import read_run
    from suite.search.bounds import within_bounds
    from suite.search.trial_factory import TrialFactory

    info = read_run(at.folder).info
    try:
        held = load_dict(dict(info.search))
        same = held == space
        if not same and info.attribute in store.info.attributes:  # a grid is kept as its bounds have left it
            trials = TrialFactory(space, store.info.attributes[info.attribute])
            same = held == within_bounds(trials)[0]
    except SearchSpaceError:
        same = False
    if not same:
        raise RequestError(
            f"{at.shown} holds a run of another search than the one asked for; choose another --out, or go "
            f"on with it by 'suite resume {shlex.quote(at.shown)}'"
        )


def _conclude(at: "Workplace", run: "Run", info: "RunInfo") -> int:
    """Say where the report of a run that ended is and what comes next."""
    from suite.durations import duration

    report = at.shown_file("report.html")
    if info.status == "interrupted":
        print(
            f"Interrupted; everything that had finished is in {at.shown}. Go on with:\n"
            f"  suite resume {shlex.quote(at.shown)}"
        )
        return INTERRUPTED
    if run.trials.empty or not (run.trials["status"] == "finished").any():
        print(f"suite: no trial finished; {report} says why", file=sys.stderr)
        return WORK_FAILED
    searched, again = (int((run.trials["stage"] == stage).sum()) for stage in ("search", "confirm"))
    confirmed = f" and {again} confirming training{'s' * (again > 1)}" if again else ""
    stopped = int((run.trials["status"] == "stopped").sum())
    early = f" ({stopped} stopped early)" if stopped else ""
    done = f"{searched} trials{early}{confirmed} in {duration(info.seconds)}"
    print(f"{done}. Report: {report}")
    return DONE


def _resources_asked(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of ``suite.runs.info.Resources`` that the command line names."""
    fields = ("cpus_per_trial", "gpus_per_trial", "max_concurrent", "address")
    return {name: getattr(options, name) for name in fields if getattr(options, name) is not None}
