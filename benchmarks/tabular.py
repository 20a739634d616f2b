"""Store the grid of ``tabular.yaml`` as a small table with the results of every training after every epoch.

suite run --search benchmarks/tabular.yaml --out RUN   # 320 trainings, a few hours on two cores
python benchmarks/tabular.py RUN [-o benchmarks/tabular.parquet]
"""

import argparse
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
SPACE = HERE / "tabular.yaml"
TABLE = HERE / "tabular.parquet"
POINT = ["widths", "depths", "lambda_l1", "seed"]


def table_of(run: Path) -> pd.DataFrame:
    """Make a table with a row for each training and epoch.

    Columns: widths and depths ("16-32-64-128-128"), lambda_l1, seed, epoch, val_mae_years, params, macs (at
    the grid's resolution), bytes.

    Raises:
        ValueError: A training of the grid is missing, or did not finish.
    """
    trials = pd.read_parquet(run / "trials.parquet")
    epochs = pd.read_parquet(run / "epochs.parquet")
    if not (trials["status"] == "finished").all():
        raise ValueError(f"{run} has trials that did not finish; resume it first")
    for column in ("widths", "depths"):
        trials[column] = ["-".join(map(str, value)) for value in trials[column]]
    about = trials[["id", *POINT, "params", "macs", "bytes"]]
    joined = epochs[["id", "epoch", "val_mae_years"]].merge(about, on="id", validate="many_to_one")
    joined["val_mae_years"] = joined["val_mae_years"].round(4)
    return joined.sort_values([*POINT, "epoch"]).drop(columns="id").reset_index(drop=True)


def main() -> None:
    """Write the table and print its size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder of the finished grid search")
    parser.add_argument("-o", "--output", type=Path, default=TABLE)
    options = parser.parse_args()
    table = table_of(options.run)
    table.to_parquet(options.output, index=False, compression="zstd")
    trainings = len(table.drop_duplicates(POINT))
    print(f"{trainings} trainings, {len(table):,} epochs, {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
