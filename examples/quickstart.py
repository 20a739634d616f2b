# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From data to an exported network
#
# Two minutes on two cores, on the embedded synthetic faces: load data, see what networks cost, train two of them,
# export the better bargain and use the file. No downloads.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import suite

# %% [markdown]
# ## Data
#
# `faces` is rendered on first use and then taken from the cache. On your own faces, name the folder that
# `suite data pack` made. A training sees one attribute at one resolution.

# %%
data = suite.load_data("faces", attribute="age", resolution=32)
for split, images in data.splits.items():
    print(f"{split}: {len(images):,} images of {data.resolution} pixels")

# %% [markdown]
# ## Cost
#
# Parameters, multiply-adds and bytes are known before the first training step. The paper asks how much of VGG-16
# a face needs.

# %%
names = ["vgg16", "thin", "tiny", "micro"]
costs = pd.DataFrame([suite.profile(name, resolution=32) for name in names], index=names)
print(costs)

# %% [markdown]
# ## Training
#
# `config_for` takes attribute, resolution and label range from the data; every other field of a configuration has
# a default. `fit` is an iterator: each step trains one epoch and validates. Three epochs on 2,000 of the images show
# how it works; a network that is to be used is trained longer.

# %%
trainings = {}
errors = {}
for name in ["tiny", "micro"]:
    config = suite.config_for(name, data, epochs=3, train_images=2000)
    trainings[name] = suite.fit(config, data)
    for epoch in trainings[name]:
        errors[name] = epoch.validation.mae
        print(f"{name}, epoch {epoch.epoch}: validation MAE {errors[name]:.2f} years, {epoch.seconds:.0f} s")

print(costs.assign(val_mae_years=pd.Series(errors))[["params", "macs", "val_mae_years"]])

# %% [markdown]
# ## Export
#
# The file is written, opened again and compared with PyTorch on the validation images before it is kept. Its
# metadata describe its input and its output.

# %%
folder = Path("quickstart")
folder.mkdir(exist_ok=True)
exported = suite.export_fit(trainings["micro"], data, folder / "micro.onnx")
print(f"{exported.path}: {exported.bytes:,} bytes, compared on {exported.verification.images} images")

# %% [markdown]
# ## Prediction
#
# The exported file needs no PyTorch. Here are eight faces of the test split as image files, and the estimates with
# 80 % intervals next to the labels.

# %%
store = suite.load_store("faces")
test_rows = store.rows("test")[::100]
for row in test_rows:
    Image.fromarray(np.asarray(store.images[row])).save(folder / f"face-{row}.png")

predictions = pd.DataFrame(suite.predict(folder / "micro.onnx", folder))
predictions["label"] = store.labels["age"][test_rows].to_numpy()
print(predictions)

# %% [markdown]
# ## Where to go next
#
# A search trains many such networks at once, and shows which of them are worth their size:
# `suite run --search tiny` in a shell. Its run folder is a pair of tables:
#
# ```python
# run = suite.read_run("runs/tiny-20261123-221000")
# suite.front(run)[["id", "val_mae_years", "params", "macs"]]
# suite.export(run.folder, "t0007", "t0007.onnx")
# ```
