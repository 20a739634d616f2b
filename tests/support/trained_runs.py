import dataclasses
from pathlib import Path

import pytest
import torch

from suite.data.store import Store
from suite.deployment.inference_module import InferenceModule
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.networks import build_network
from suite.networks.weights import save_network
from suite.runs.info import DataUsed, RunInfo, write_info
from suite.runs.ledger import RunLedger
from suite.trial import MethodName, Metrics, Network, TrialConfig, TrialResult

CONFIG = TrialConfig(
    widths=(8, 8, 16, 16, 16),
    depths=(1, 1, 1, 1, 1),
    resolution=32,
    epochs=1,
    batch_size=32,
    precision="float32",
)


def lively(config: TrialConfig, seed: int = 0) -> torch.nn.Module:
    """A network with batch-norm statistics and weights that are not those of the beginning."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_network(config, label_set_of(config).bins)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.running_mean, 0, 0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


def deployed_of(
    method: MethodName = "dldl-v2", network: Network = "compact"
) -> tuple[InferenceModule, TrialConfig]:
    config = dataclasses.replace(CONFIG, method=method, network=network)
    return InferenceModule(lively(config), config, label_set_of(config)), config


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Path:
    """A run folder over ``store`` with two finished trials and a failed one; the first was judged on test."""
    folder = tmp_path / "run"
    (folder / "weights").mkdir(parents=True)
    used = DataUsed(
        "stripes",
        str(store.folder),
        store.info.fingerprint,
        32,
        160,
        160,
        40,
        40,
        "made",
        "in order",
        0,
        25.0,
    )
    info = RunInfo(
        name="small",
        status="finished",
        command=["suite", "run"],
        search={},
        search_file="small.yaml",
        attribute="age",
        resolution=32,
        objectives=["val_mae", "params"],
        trials_asked=3,
        seed=0,
        max_concurrent=1,
        data=used,
        references=[],
        versions={},
        git_revision="",
        hardware={"processor": "a processor"},
        started="2026-11-23T22:10:00+00:00",
        seconds=75.0,
        latency={"device": "cpu", "threads": 2, "batch_size": 1},
    )
    write_info(folder, info)
    ledger = RunLedger(folder)
    for place, (trial_id, status) in enumerate(
        (("t0000", "finished"), ("t0001", "finished"), ("t0002", "failed"))
    ):
        config = dataclasses.replace(CONFIG, method=("dldl-v2", "coral", "dldl-v2")[place])
        save_network(lively(config, place), config, folder / "weights" / f"{trial_id}.safetensors")
        ledger.add_trial(
            TrialResult(
                id=trial_id,
                stage="search",
                config=config,
                status=status,
                cause="",
                profile=profile_trial(config, 101),
                validation=Metrics(30.0 + place, 35.0, 0.1, 0.1, 0.2, 0.3, None),
                epochs_run=1,
                seconds=2.0,
                precision="float32",
                trials_known=0,
                started=0.5,
            )
        )
    ledger.amend("t0000", {"test_mae_years": 31.0})
    return folder
