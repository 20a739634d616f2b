"""Every set in miniature: its own folders, names and tables around small pictures."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

Photo = Callable[..., bytes]
Files = Mapping[str, bytes]


def table(*rows: tuple[object, ...], delimiter: str = ",") -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def spreadsheet(**sheets: list[tuple[object, ...]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def utkface(photo: Photo) -> Files:
    return {
        f"UTKFace/{age}_{age % 2}_{age % 5}_201701161745{age:05d}.jpg.chip.jpg": photo()
        for age in range(1, 25)
    }


def lap2015(photo: Photo) -> Files:
    files: dict[str, bytes] = {}
    for split, count in (("Train", 12), ("Validation", 6), ("Test", 6)):
        files[f"{split}.csv"] = table(*((f"image_{n}.jpg", 20 + n, 3.5) for n in range(count)), delimiter=";")
        files |= {f"{split}/image_{n}.jpg": photo() for n in range(count)}  # numbered alike in each split
    return files


def lap2016(photo: Photo) -> Files:
    files: dict[str, bytes] = {}
    for split, numbers in (("train", range(12)), ("valid", range(12, 18)), ("test", range(18, 24))):
        rows = [(f"{n:06d}.jpg", 20.5 + n, 3.25) for n in numbers]
        files[f"{split}_gt.csv"] = table(("image", "mean", "stdv"), *rows)
        files |= {f"{split}/{n:06d}.jpg": photo() for n in numbers}
    return files


def appa_real(photo: Photo) -> Files:
    files: dict[str, bytes] = {}
    header = ("file_name", "num_ratings", "apparent_age_avg", "apparent_age_std", "real_age")
    for split, numbers in (("train", range(12)), ("valid", range(12, 18)), ("test", range(18, 24))):
        at = "appa-real-release"
        rows = [(f"{n:06d}.jpg", 38, 20.5 + n, 4.25, 21 + n) for n in numbers]
        votes = [(f"{n:06d}.jpg", 20 + n, worker) for n in numbers for worker in (5, 6)]
        files[f"{at}/gt_avg_{split}.csv"] = table(header, *rows)
        files[f"{at}/gt_{split}.csv"] = table(("file_name", "age", "worker"), *votes)
        kinds = [(f"{n:06d}.jpg", "female", "asian", "happy") for n in numbers]
        files[f"{at}/allcategories_{split}.csv"] = table(("file", "gender", "race", "happiness"), *kinds)
        for n in numbers:
            files[f"{at}/{split}/{n:06d}.jpg"] = photo()
            files[f"{at}/{split}/{n:06d}.jpg_face.jpg"] = photo(left=(20, 200, 20))
            files[f"{at}/{split}/{n:06d}.jpg.mat"] = b"landmarks"
    return files


def morph(photo: Photo) -> Files:
    header = ("id_num", "picture_num", "dob", "doa", "race", "gender", "facial_hair", "age", "photo")
    rows = [
        (
            f"{n // 3:06d}",
            n % 3,
            "1/1/70",
            "1/1/99",
            "BWHO"[n % 4],
            "MF"[n % 2],
            "",
            20 + n,
            f"Album2/{n}.JPG",
        )
        for n in range(24)
    ]
    files = {f"MORPH/Album2/{n}.JPG": photo() for n in range(24)}
    return {**files, "MORPH/morph_2008_nonCommercial.csv": table(header, *rows)}


def afad(photo: Photo) -> Files:
    names = [f"AFAD-Full/{18 + n}/{111 + n % 2}/{100 + n // 2}-{n % 2}.jpg" for n in range(24)]
    return {name: photo(left=(10 * n, 20, 20)) for n, name in enumerate(names)}


def agedb(photo: Photo) -> Files:
    return {f"AgeDB/{n}_Person{chr(65 + n // 3)}_{30 + n}_{'mf'[n % 2]}.jpg": photo() for n in range(24)}


def cacd2000(photo: Photo) -> Files:
    from scipy.io import savemat

    names = np.array([f"{20 + n}_Person_{n // 2}_{n % 2}.jpg" for n in range(24)], dtype=object)[:, None]
    column = np.arange(24)[:, None]
    data = {"name": names, "identity": column // 2, "age": 20 + column, "rank": column // 2 + 1}
    written = io.BytesIO()
    savemat(written, {"celebrityImageData": data, "celebrityData": {"name": names[:2]}})
    files = {f"CACD2000/{name}": photo() for name in names[:, 0]}
    return {**files, "celebrity2000_meta.mat": written.getvalue()}


def fgnet(photo: Photo) -> Files:
    files = {f"FGNET/images/{1 + n // 4:03d}{'Aa'[n % 2]}{2 + n:02d}.JPG": photo() for n in range(23)}
    files["FGNET/images/006A25b.JPG"] = photo()
    return {**files, "FGNET/points/001a02.pts": b"68 points"}


def scut_fbp(photo: Photo) -> Files:
    ratings = [("Image", *(f"rater {n}" for n in range(4)))]
    ratings += [(n, 1 + n % 4, 2, 3, 5) for n in range(1, 25)]
    labels = [("Image", "Attractiveness label")]
    labels += [(n, round((11 + n % 4) / 4, 6)) for n in range(1, 25)]
    files = {f"Data_Collection/SCUT-FBP-{n}.jpg": photo() for n in range(1, 25)}
    return {
        **files,
        "Rating_Collection/Attractiveness label.xlsx": spreadsheet(Sheet1=labels),
        "Rating_Collection/Rating.xlsx": spreadsheet(Sheet1=ratings),
    }


def scut_fbp5500(photo: Photo) -> Files:
    names = [f"{('AF', 'AM', 'CF', 'CM')[n % 4]}{n}.jpg" for n in range(25)]
    header = ("Rater", "Filename", "Rating", "original Rating")
    ratings = [(rater, name, 2 + rater, "") for name in names for rater in (0, 1, 2)]
    text = {
        "All_labels.txt": [f"{name} 3.0" for name in names],
        "split_of_60%training and 40%testing/train.txt": [f"{name} 3.0" for name in names[:15]],
        "split_of_60%training and 40%testing/test.txt": [f"{name} 3.0" for name in names[15:]],
    }
    for fold in range(5):
        at = f"5_folders_cross_validations_files/cross_validation_{fold + 1}"
        text[f"{at}/test_{fold + 1}.txt"] = [f"{name} 3.0" for name in names[fold::5]]
        text[f"{at}/train_{fold + 1}.txt"] = [f"{n} 3.0" for n in names if n not in names[fold::5]]
    root = "SCUT-FBP5500_v2"
    files = {f"{root}/train_test_files/{name}": "\n".join(rows).encode() for name, rows in text.items()}
    files |= {f"{root}/Images/{name}": photo() for name in names}
    # The workbook has a sheet of all and one of each kind, which repeat each other.
    files[f"{root}/All_Ratings.xlsx"] = spreadsheet(
        ALL=[header, *ratings], Asian_Female=[header, *ratings[:4]]
    )
    return files


def manifest(photo: Photo) -> Files:
    header = ("Path", "age", "deviation", "subject", "gender", "left", "top", "right", "bottom")
    rows = [
        (f"photos/{n}.jpg", 20 + n, 2.5, f"s{n // 2}", "mf"[n % 2], *((0, 0, 24, 48) if n else ("",) * 4))
        for n in range(24)
    ]
    return {"faces.csv": table(header, *rows), **{f"photos/{n}.jpg": photo() for n in range(24)}}


MINIATURES: Mapping[str, Callable[[Photo], Files]] = {
    "utkface": utkface,
    "lap2015": lap2015,
    "lap2016": lap2016,
    "appa-real": appa_real,
    "appa-real-real": appa_real,
    "morph": morph,
    "afad": afad,
    "agedb": agedb,
    "cacd2000": cacd2000,
    "fgnet": fgnet,
    "scut-fbp": scut_fbp,
    "scut-fbp5500": scut_fbp5500,
    "manifest": manifest,
}


@pytest.fixture
def miniature(photo: Photo) -> Callable[[str], dict[str, bytes]]:
    """The files of a set in miniature, by its name: change some, and lay them out."""
    return lambda name: dict(MINIATURES[name](photo))


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files into a folder."""

    def write(files: Files) -> Path:
        for name, content in files.items():
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / "source"

    return write
