"""Tables with bytes changed at random end in a reading or in one sentence, never in a traceback."""

import io
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from suite.data.archive_safety import UnreadableFileError
from suite.data.sets import READERS
from suite.data.source_files import open_source
from suite.errors import RequestError

Files = dict[str, bytes]
Miniature = Callable[[str], Files]
LayOut = Callable[[Mapping[str, bytes]], Path]
PIECES = (b'"', b",", b";", b"\n", b"\t", b"NA", b"\0", b"-1", b"1e999", b"\xff\xfe", b'"a,b"', b"\r")
CASES = [
    ("manifest", "faces.csv"),
    ("manifest", "faces.parquet"),
    ("manifest", "images.parquet"),
    ("morph", "MORPH/morph_2008_nonCommercial.csv"),
    ("lap2015", "Train.csv"),
    ("appa-real", "appa-real-release/gt_avg_train.csv"),
    ("cacd2000", "celebrity2000_meta.mat"),
    ("scut-fbp", "Rating_Collection/Rating.xlsx"),
    ("scut-fbp5500", "SCUT-FBP5500_v2/train_test_files/All_labels.txt"),
]


def damaged(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = dice.randrange(len(changed))
        kind = dice.randrange(4)
        if kind == 0:
            changed[at] = dice.randrange(256)
        elif kind == 1:
            changed[at:at] = dice.choice(PIECES)
        elif kind == 2 and len(changed) > 50:
            del changed[at : at + dice.randrange(1, 40)]
        else:
            changed[at : at + 8] = dice.randbytes(8)
    return bytes(changed)


def with_parquet(files: Files, table: str, photo: Callable[..., bytes]) -> Files:
    """A manifest whose table is a parquet, with its images in itself or not."""
    if not table.endswith(".parquet"):
        return files
    written = io.BytesIO()
    if table == "faces.parquet":
        pd.read_csv(io.BytesIO(files.pop("faces.csv"))).to_parquet(written)
        return {**files, table: written.getvalue()}
    columns = {"image": [{"bytes": photo(), "path": "a.jpg"}] * 9, "age": list(range(9))}
    pyarrow.parquet.write_table(pyarrow.table(columns), written, row_group_size=4)
    return {table: written.getvalue()}


@pytest.mark.parametrize(("name", "table"), CASES)
def test_a_damaged_table_is_read_or_refused(
    name: str, table: str, miniature: Miniature, lay_out: LayOut, photo: Callable[..., bytes]
) -> None:
    files = with_parquet(miniature(name), table, photo)
    folder = lay_out(files)
    dice = random.Random(table)
    for _ in range(15):
        (folder / table).write_bytes(damaged(files[table], dice))
        try:
            with open_source(folder) as source:
                records = READERS[name].read(source, folder).records
                for record in records[:3]:
                    source.read(record.file)
        except UnreadableFileError:
            pass
        except RequestError as error:
            message = str(error)
            assert "\n" not in message and len(message) < 900, message  # noqa: PT018
