"""``suite data``: list, pack, check and show data sets."""

import argparse
import sys
from pathlib import Path

from suite.cli.open_data import DATA_HELP, open_data
from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import non_negative_float, path, positive_int
from suite.commands import command
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_line, shortened

ATTRIBUTES = ("age", "attractiveness")


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite data`` and its verbs."""
    data = add_subcommand(subcommands, "data", "list, pack, check and show data sets")
    verbs = data.add_subparsers(required=True, metavar="VERB")
    add_subcommand(verbs, "list", "the data sets that the suite knows", list_sets)
    _add_pack(verbs)
    check = add_subcommand(verbs, "check", "whether a packed data set can be trusted", check_data)
    check.add_argument("data", metavar="NAME|DIR", help=DATA_HELP)
    check.add_argument(
        "--list",
        type=path,
        metavar="FILE",
        help="write all groups of exact copies and look-alikes to a CSV file",
    )
    _add_show(verbs)


def _add_pack(verbs: Subcommands) -> None:
    pack = add_subcommand(verbs, "pack", "decode a public data set once, for every trial", pack_set)
    pack.add_argument("set", metavar="SET", help="name of the data set, see 'suite data list'")
    pack.add_argument(
        "path",
        type=path,
        metavar="PATH",
        help="the data set as distributed: a folder, a zip or a tar; for SET manifest, the table",
    )
    pack.add_argument(
        "-o", "--output", type=path, required=True, metavar="DIR", help="folder of the packed data set"
    )
    pack.add_argument("--size", type=positive_int, default=64, metavar="N", help="pixels a side; default 64")
    pack.add_argument(
        "--align",
        action="store_true",
        help="crop each face by the landmarks that the data set ships; default: take the images as they are",
    )
    pack.add_argument(
        "--max-skipped",
        type=non_negative_float,
        default=0.01,
        metavar="SHARE",
        help="share of the images that may be missing or damaged, 0 to 1; default 0.01",
    )
    pack.add_argument(
        "--workers", type=positive_int, metavar="N", help="number of processes; default: one per core"
    )
    pack.add_argument(
        "--protocol",
        choices=("official", "random", "subjects", "folds"),
        help="how the images are split; default: official where the data set has official splits, else subjects "
        "where subjects have several images, else random",
    )
    pack.add_argument("--fold", type=positive_int, metavar="I", help="fold to test on, counted from 1")
    pack.add_argument(
        "--folds",
        type=positive_int,
        metavar="K",
        help="number of random folds by subject; default: the official folds",
    )
    pack.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of random splits and folds; default 0"
    )
    pack.add_argument(
        "--attribute", choices=ATTRIBUTES, help="what the column value holds; for SET manifest only"
    )
    pack.add_argument("--overwrite", action="store_true", help="replace the data set in DIR if there is one")


def _add_show(verbs: Subcommands) -> None:
    show = add_subcommand(verbs, "show", "write a contact sheet of a data set", show_data)
    show.add_argument("data", metavar="NAME|DIR", help=DATA_HELP)
    show.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="contact sheet, a PNG file"
    )
    show.add_argument(
        "--attribute",
        choices=ATTRIBUTES,
        help="attribute that orders the faces; default: age where the data set has it",
    )
    show.add_argument(
        "--columns", type=positive_int, default=10, metavar="N", help="faces in a row; default 10"
    )
    show.add_argument("--rows", type=positive_int, default=6, metavar="N", help="number of rows; default 6")


def list_sets(options: argparse.Namespace) -> int:
    """Print the embedded data set, and those that can be packed."""
    from suite.data.sets import READERS

    width = max(map(len, READERS))
    print_line(
        f"{'faces':{width}s}  embedded: synthetic faces, rendered on first use; age and attractiveness"
    )
    for name, reader in READERS.items():
        print_line(f"{name:{width}s}  {reader.description}")
    return ExitCode.DONE


def pack_set(options: argparse.Namespace) -> int:
    """Decode a public data set once, into a store that every trial shares."""
    from suite.cli.progress import CountedProgress, StagedProgress
    from suite.data.copies import CopyGroups, contradictions
    from suite.data.packing import pack
    from suite.data.protocols import SplitRequest
    from suite.data.readers.manifest import MANIFEST, manifest_reader
    from suite.data.sets import READERS
    from suite.files.paths import resolved

    if options.set == "faces":
        raise RequestError("faces is embedded and needs no packing; use it by its name: --data faces")
    if resolved(options.output) == resolved("faces"):
        raise RequestError(
            "--data faces would be the embedded data set, not the folder; name another, such as -o packed/faces"
        )
    if options.set not in READERS:
        raise RequestError(
            f"{options.set!r} is not a data set that can be packed; choose from {', '.join(READERS)}"
        )
    reader = READERS[options.set]
    if options.attribute:
        if reader is not MANIFEST:
            raise RequestError(f"--attribute goes with a manifest; {options.set} has labels of its own")
        reader = manifest_reader(options.attribute)
    found: list[CopyGroups] = []
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
        on_copies=found.append,
        on_comparison=StagedProgress(),
    )
    info = store.info
    skipped = f"; {info.skipped} skipped, see {store.folder / 'skipped.csv'}" if info.skipped else ""
    print_line(f"{info.images:,} images of {info.side} pixels in {store.folder}{skipped}")
    print_line(f"{info.origin} {info.protocol}")
    for clause in filter(None, map(contradictions, found)):
        listing = command("data", "check", store.folder, "--list", "copies.csv")
        print_line(f"{shortened(clause)}; all of these images were kept, and '{listing}' lists them")
    return ExitCode.DONE


def check_data(options: argparse.Namespace) -> int:
    """Print what there is to know about a data set, and every problem that was found in it."""
    from suite.cli.progress import StagedProgress
    from suite.data.checking import check_store
    from suite.files.csv_text import csv_text
    from suite.files.outputs import check_writable, write_output

    if options.list:
        check_writable(options.list)  # before the data is read, which may take minutes
    found = check_store(open_data(options.data), StagedProgress())
    for line in found.facts:
        print_line(shortened(line))
    for problem in found.problems:
        print_line(f"suite: {shortened(problem)}", sys.stderr)
    if options.list and found.copies is None:
        print_line(f"suite: {options.list} is not written, as the copies were not looked for", sys.stderr)
    elif options.list and found.copies is not None:
        write_output(options.list, csv_text(found.copies))
        print_line(f"{options.list} lists all copies")
    if found.problems:
        return ExitCode.FAILED
    print_line("no problems found")
    return ExitCode.DONE


def show_data(options: argparse.Namespace) -> int:
    """Write a contact sheet, ordered by the attribute."""
    from suite.data.contact_sheet import write_sheet
    from suite.files.outputs import check_writable

    check_writable(options.output)  # before the data is opened, which may take a minute
    store = open_data(options.data)
    attribute = options.attribute or min(store.info.attributes)  # age comes before attractiveness
    write_sheet(store, options.output, columns=options.columns, rows=options.rows, attribute=attribute)
    print_line(options.output)
    return ExitCode.DONE
