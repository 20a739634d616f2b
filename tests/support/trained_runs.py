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
from suite.runs.info import write_info
from suite.runs.ledger import RunLedger
from suite.trial import MethodName, Network, TrialConfig
from tests.support.runs import data_used, metrics, run_info, trial_result

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


def inference_module_of(
    method: MethodName = "dldl-v2", network: Network = "compact"
) -> tuple[InferenceModule, TrialConfig]:
    config = dataclasses.replace(CONFIG, method=method, network=network)
    return InferenceModule(lively(config), config, label_set_of(config)), config


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Path:
    """A run folder over ``store`` with two finished trials and a failed one; the first was judged on test."""
    folder = tmp_path / "run"
    (folder / "weights").mkdir(parents=True)
    info = run_info(
        trials_asked=3,
        data=data_used(folder=str(store.folder), fingerprint=store.info.fingerprint),
        hardware={"processor": "a processor"},
        latency={"device": "cpu", "threads": 2, "batch_size": 1},
    )
    write_info(folder, info)
    ledger = RunLedger(folder)
    for number, (trial_id, status) in enumerate(
        (("t0000", "finished"), ("t0001", "finished"), ("t0002", "failed"))
    ):
        config = dataclasses.replace(CONFIG, method=("dldl-v2", "coral", "dldl-v2")[number])
        save_network(lively(config, number), config, folder / "weights" / f"{trial_id}.safetensors")
        ledger.add_trial(
            trial_result(
                trial_id,
                status,
                config=config,
                cause="",
                profile=profile_trial(config, 101),
                validation=metrics(30.0 + number, rmse=35.0, pearson=0.1, cs3=0.1, cs5=0.2, cs8=0.3),
            )
        )
    ledger.amend("t0000", {"test_mae_years": 31.0})
    return folder
