"""The command line: what can be asked. ``suite.cli.commands`` has what is then done."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from suite import __version__
from suite.cli.cluster_options import cluster_commands
from suite.cli.compression_options import compression_commands
from suite.cli.values import count, gpus, path, run_place, seconds, share
from suite.errors import RequestError
from suite.trial import NETWORKS

WRONG_REQUEST, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 the request was wrong."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if hasattr(options, "request"):  # a command that another machine is to run
        options.request = options.request[options.request[:1] == ["--"] :]
        if not options.request:
            parser.error("nothing is sent; write the run behind --, as -- run --search tiny --out DIR")
        options.asked = parser.parse_args(options.request)
    try:
        # Imported here so that help and usage errors answer at once.
        command: Callable[[argparse.Namespace], int] = getattr(import_module(options.room), options.command)
        return command(options)
    except RequestError as error:
        print(f"suite: {error}", file=sys.stderr)
        return WRONG_REQUEST
    except KeyboardInterrupt:
        print("suite: interrupted", file=sys.stderr)
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="suite",
        description="How small and fast can a facial age or attractiveness network get before it gets worse?",
        epilog="'suite COMMAND --help' tells about one command. Exit code 0: done, 1: the work failed, "
        "2: the request was wrong.",
    )
    parser.add_argument("--version", action="version", version=f"suite {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, function: str, summary: str, room: str = "suite.cli.commands"
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(room=room, command=function)
        return added

    _run_options(command("run", "run", "carry out a search and write its report"))
    resume = command("resume", "resume", "go on with an interrupted search")
    resume.add_argument("run", type=run_place, metavar="RUN", help="run folder, or its s3:// URL")
    resume.add_argument(
        "--confirm-seeds",
        type=count,
        metavar="N",
        help="seeds that the front's members are trained again with; default: as before, and not fewer",
    )
    _resource_options(resume, resumed=True)
    _report_options(
        command(
            "report",
            "report",
            "write the report of a run, finished or not, or of several",
            "suite.cli.report",
        )
    )
    _paper_options(command("paper", "paper", "the paper's claims beside what is counted and timed here"))
    _profile_options(command("profile", "profile", "parameters, multiply-adds and bytes of a network"))
    _pretrain_options(command("pretrain", "pretrain", "train a backbone on identities, to start trials from"))
    _data_commands(command("data", "data", "list, pack, check and show data sets"))
    compression_commands(command)
    cluster_commands(command)
    return parser


def _report_options(report: argparse.ArgumentParser) -> None:
    report.add_argument(
        "run", type=run_place, nargs="+", metavar="RUN",
        help="run folder, or its s3:// URL; several are compared in one report",
    )  # fmt: skip
    report.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="default: RUN/report.html; of several: comparison.html",
    )
    report.add_argument(
        "--follow", type=seconds, nargs="?", const=15.0, metavar="SECONDS",
        help="write it again whenever a running search has got on, looking so often (default 15)",
    )  # fmt: skip


def _run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--search", required=True, metavar="NAME|FILE", help="a search that ships (tiny), or a YAML file"
    )
    run.add_argument(
        "--data", metavar="NAME|DIR", help="an embedded set (faces) or the folder of a packed one"
    )
    run.add_argument("--trials", type=count, metavar="N", help="number of trials")
    run.add_argument("--epochs", type=count, metavar="N", help="epochs of each trial")
    run.add_argument("--seed", type=int, metavar="N", help="seed of the sampler and of every training")
    run.add_argument(
        "--stopping",
        choices=("front", "forecast", "error", "none"),
        help="stop trials early: by rank on the front, by forecast, by validation error alone, or not",
    )
    for quantity, noun in (("params", "parameters"), ("macs", "multiply-adds"), ("bytes", "bytes on disk")):
        run.add_argument(
            f"--max-{quantity}",
            metavar="N",
            help=f"train no network with more {noun}; a number such as 900000, 900k or 1M",
        )
    run.add_argument(
        "--confirm-seeds",
        type=count,
        metavar="N",
        help="seeds that the front's members are trained again with; 1: they are not",
    )
    run.add_argument(
        "--parent",
        metavar="RUN:ID",
        help="a trained network that the trials are cut out of and learn from, a run folder and a trial, for "
        "the search compress; data, network and recipe are its own where the search says nothing of them",
    )
    run.add_argument(
        "--out",
        type=run_place,
        metavar="DIR",
        help="run folder, or s3://BUCKET/KEY; default: runs/NAME-DATE-TIME",
    )
    run.add_argument(
        "--or-resume",
        action="store_true",
        help="go on with the run that --out already holds, if it is of this search: for batch systems, which "
        "start a job again",
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value of the search space, as base.batch_size=32; may be repeated",
    )
    _resource_options(run)


def _resource_options(parser: argparse.ArgumentParser, *, resumed: bool = False) -> None:
    def otherwise(default: str) -> str:
        return f"default: {'as before' if resumed else default}"

    parser.add_argument(
        "--max-concurrent", type=count, metavar="N", help=f"trials at once; {otherwise('all that fit')}"
    )
    parser.add_argument(
        "--cpus-per-trial", type=share, metavar="X", help=f"cores of a trial; {otherwise('1')}"
    )
    parser.add_argument(
        "--gpus-per-trial",
        type=gpus,
        metavar="X",
        help=f"GPUs of a trial; {otherwise('0.25 where there are any')}",
    )
    parser.add_argument(
        "--address",
        metavar="A",
        help=f"a running Ray cluster (auto, HOST:PORT), or local: this machine; {otherwise('local')}",
    )


def _paper_options(paper: argparse.ArgumentParser) -> None:
    paper.add_argument(
        "--latency",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="time the networks; default: yes",
    )
    paper.add_argument(
        "--seconds", type=seconds, default=90.0, metavar="S", help="most time for the timing; default 90"
    )
    paper.add_argument("--json", action="store_true", help="one JSON object")


def _profile_options(profile: argparse.ArgumentParser) -> None:
    profile.add_argument("network", choices=NETWORKS, metavar="NET", help="%(choices)s")
    profile.add_argument(
        "--resolution", type=count, default=224, metavar="R", help="pixels a side; default 224"
    )
    profile.add_argument(
        "--bins", type=count, default=101, metavar="N", help="label bins; default 101 (ages 0-100)"
    )
    profile.add_argument("--json", action="store_true", help="one JSON object")


def _pretrain_options(pretrain: argparse.ArgumentParser) -> None:
    pretrain.add_argument(
        "--data", required=True, metavar="NAME|DIR", help="data with subjects: faces, or a packed set"
    )
    pretrain.add_argument(
        "--network", choices=NETWORKS, default="tiny", metavar="NET", help="%(choices)s; default tiny"
    )
    pretrain.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the backbone, a .safetensors file"
    )
    pretrain.add_argument("--epochs", type=count, default=12, metavar="N", help="default 12")
    pretrain.add_argument(
        "--resolution", type=count, default=64, metavar="R", help="pixels a side; default 64"
    )
    pretrain.add_argument("--batch-size", type=count, default=64, metavar="N", help="default 64")
    pretrain.add_argument(
        "--learning-rate", type=share, default=3e-3, metavar="X", help="the highest; default 0.003"
    )
    pretrain.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    pretrain.add_argument("--overwrite", action="store_true", help="replace a FILE that is there")


def _data_commands(data: argparse.ArgumentParser) -> None:
    verbs = data.add_subparsers(required=True, metavar="VERB")
    listed = verbs.add_parser("list", help="the sets that the suite knows")
    listed.set_defaults(command="data_list")

    pack = verbs.add_parser("pack", help="decode a public set once, for every trial")
    pack.set_defaults(command="data_pack")
    pack.add_argument("set", metavar="SET", help="name of the set, see 'suite data list'")
    pack.add_argument(
        "path",
        type=path,
        metavar="PATH",
        help="the set as distributed: a folder, a zip or a tar; or the table of a manifest",
    )
    pack.add_argument(
        "-o", "--output", type=path, required=True, metavar="DIR", help="folder of the packed set"
    )
    pack.add_argument("--size", type=count, default=64, metavar="N", help="pixels a side; default 64")
    pack.add_argument(
        "--align",
        action="store_true",
        help="crop each face by the landmarks that the set ships, instead of taking its images as they are",
    )
    pack.add_argument(
        "--max-skipped",
        type=share,
        default=0.01,
        metavar="SHARE",
        help="share of the images that may be missing or damaged; default 0.01",
    )
    pack.add_argument("--workers", type=count, metavar="N", help="processes; default: one a core")
    pack.add_argument(
        "--protocol",
        choices=("official", "random", "subjects", "folds"),
        help="how the images are split; default: official where there are official splits, else by subject "
        "where subjects recur, else random",
    )
    pack.add_argument("--fold", type=count, metavar="I", help="the fold to test on, from 1")
    pack.add_argument("--folds", type=count, metavar="K", help="random folds by subject; default: official")
    pack.add_argument("--seed", type=int, default=0, metavar="N", help="seed of what is random; default 0")
    pack.add_argument(
        "--attribute",
        choices=("age", "attractiveness"),
        help="of a manifest: what its column value holds",
    )
    pack.add_argument("--overwrite", action="store_true", help="replace a set that is already in DIR")

    check = verbs.add_parser("check", help="whether a packed set can be trusted")
    check.set_defaults(command="data_check")
    check.add_argument(
        "data", metavar="NAME|DIR", help="an embedded set (faces) or the folder of a packed one"
    )

    show = verbs.add_parser("show", help="a contact sheet of a set")
    show.set_defaults(command="data_show")
    show.add_argument(
        "data", metavar="NAME|DIR", help="an embedded set (faces) or the folder of a packed one"
    )
    show.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="a PNG")
    show.add_argument("--attribute", choices=("age", "attractiveness"), help="default: age, or what there is")
    show.add_argument("--columns", type=count, default=10, metavar="N")
    show.add_argument("--rows", type=count, default=6, metavar="N")
