"""UTKFace (Zhang, Song and Qi 2017): real ages from 0 to 116, with gender and race, in file names.

Images are ``[age]_[gender]_[race]_[date&time].jpg``, with ``.jpg.chip.jpg`` for aligned and cropped faces, in
one folder or in several (part1, part2, part3). The set has no subjects and no official splits.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import digest_of, is_image, out_of_range, visible
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange
from suite.errors import RequestError

AGES = LabelRange(0, 116, 1)
IMAGES = 23_708  # published
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}

# Four published names lack a group or leave it empty (61_1_20170109142408075, 53__0_20170116184028385), and some
# endings are misspelt (55_0_0_20170116232725357jpg.chip.jpg). Their ages can still be used.
_NAME = re.compile(r"(?P<age>[0-9]+)_(?P<groups>(?:[0-9]*_){1,2})(?P<time>[0-9]{8,})[^0-9_]*")


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of UTKFace.

    Some archives of the set hold several copies of a face, such as ``UTKFace/`` beside ``crop_part1/``. Each face is
    taken once, so that it cannot be in two splits; an aligned copy takes precedence.

    Raises:
        RequestError: No file has a name as in UTKFace.
    """
    # A file with a name as in the set counts with any ending; its content decides whether it is an image.
    images = [name for name in visible(files) if is_image(name) or _NAME.fullmatch(PurePosixPath(name).name)]
    chosen: dict[str, ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for name in sorted(images, key=_aligned_first):
        found = _parse(name)
        if isinstance(found, SkippedFile):
            skipped.append(found)
        elif (face := _face(name)) in chosen:
            skipped.append(SkippedFile(name, f"the same face as {chosen[face].file}"))
        else:
            chosen[face] = found
    renamed = _renamed(files, list(chosen.values()))
    skipped += [SkippedFile(name, f"the same face as {other}") for name, other in renamed.items()]
    chosen = {face: record for face, record in chosen.items() if record.file not in renamed}
    if not chosen:
        raise RequestError(
            f"{path} has no image named as UTKFace names them, [age]_[gender]_[race]_[date&time].jpg "
            f"(looked at {len(images)} images, in all folders); name the folder, zip or tar of UTKFace, "
            "which its authors give at https://susanqq.github.io/UTKFace/"
        )
    aligned = sum(not _aligned_first(record.file)[0] for record in chosen.values())
    return ReadResult(
        [chosen[face] for face in sorted(chosen)],
        sorted(skipped, key=lambda s: s.file),
        f"{len(chosen):,} images where {IMAGES:,} are published, {aligned:,} of them aligned",
    )


def _parse(name: str) -> ImageRecord | SkippedFile:
    match = _NAME.fullmatch(PurePosixPath(name).name)
    if match is None:
        return SkippedFile(name, "the name is not [age]_[gender]_[race]_[date&time].jpg")
    age = int(match["age"][:9])
    if reason := out_of_range("age", age, AGES):
        return SkippedFile(name, reason)
    groups = match["groups"].split("_")[:-1]
    # If only one group is given, it is unknown which one is missing.
    gender, race = groups if len(groups) == 2 else ("", "")
    return ImageRecord(name, {"age": age}, {"gender": GENDERS.get(gender, ""), "race": RACES.get(race, "")})


def _face(name: str) -> str:
    """The part of a name that copies of a face share: everything up to the time."""
    match = _NAME.fullmatch(PurePosixPath(name).name)
    return match["age"] + "_" + match["groups"] + match["time"] if match else name


def _renamed(files: SourceFiles, records: Sequence[ImageRecord]) -> Mapping[str, str]:
    """Faces that are there a second time with another age or group in their name, and the first of each.

    The time alone does not tell: several faces of one photograph have the same. With it, two faces are one if their
    files have the same content, or if both names lack a group of the same age. (61_1_20170109150557335 of one edition
    is 61_3_20170109150557335 in another.)
    """
    by_time: defaultdict[str, list[ImageRecord]] = defaultdict(list)
    for record in records:
        if match := _NAME.fullmatch(PurePosixPath(record.file).name):
            by_time[match["time"]].append(record)
    found: dict[str, str] = {}
    for same_time in by_time.values():
        first: dict[object, str] = {}
        for record in same_time if len(same_time) > 1 else ():
            incomplete = "" in record.groups.values() and f"{record.labels['age']:g}"
            keys = [key for key in (digest_of(files, record.file), incomplete) if key]
            other = next((first[key] for key in keys if key in first), None)
            if other is not None:
                found[record.file] = other
            first |= {key: other or record.file for key in keys}
    return found


def _aligned_first(name: str) -> tuple[bool, str]:
    return ".chip." not in name.lower(), name


UTKFACE = DatasetReader(
    name="utkface",
    description="UTKFace, 23,708 faces from the web: age 0-116, gender, race",
    origin="UTKFace (Zhang, Song and Qi 2017), for non-commercial research only",
    attributes={"age": AGES},
    groups=("gender", "race"),
    read=read,
)
