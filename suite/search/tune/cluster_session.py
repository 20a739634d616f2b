"""Ray for the length of a search: a quiet local cluster of this machine's cores, or a running one."""

import importlib
import logging
import os
import secrets
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from suite.errors import RequestError
from suite.machine import usable_cpus
from suite.runs.info import Resources
from suite.search.interrupts import interrupts_held_back

#: The trials' data is memory-mapped, not sent, so Ray's own store can be small.
OBJECT_STORE_BYTES = 100 * 2**20


@contextmanager
def ray_session(resources: Resources) -> Iterator[None]:
    """Ray is up inside.

    Raises:
        RequestError: there is no Ray cluster at the address, or Ray did not come to start in its time.
    """
    _avoid_home_token(resources)
    _check_reachable(resources.address)
    warnings.filterwarnings("ignore", category=FutureWarning, module="ray")
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a trial's failure is a row, not a log
    of_this_machine = {"num_cpus": usable_cpus(), "object_store_memory": OBJECT_STORE_BYTES}
    chosen: dict[str, Any] = (
        # Without "local" Ray joins a cluster that somebody else has started on this machine.
        {**of_this_machine, "address": "local", "include_dashboard": False}
        if resources.of_this_machine
        else {"address": resources.address}
    )
    try:
        with interrupts_held_back():
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **chosen)
            except (ConnectionError, ValueError) as error:
                raise _no_cluster(resources.address, error) from None
            except SystemExit as stopped:  # Ray's own answer to SIGTERM, while it starts
                raise KeyboardInterrupt from stopped
            except Exception as error:
                if "timed out during startup" not in str(error):
                    raise
                raise RequestError(
                    "Ray did not start within half a minute, which is all that it gives itself; try again "
                    "when this machine has less to do"
                ) from None
        with _staging_without_a_node():
            yield
    finally:
        with interrupts_held_back():
            ray.shutdown()


@contextmanager
def _staging_without_a_node() -> Iterator[None]:
    """A driver that came by ``ray://`` is on no node, and Tune asks that for a folder to stage its state in.

    Ray would have Tune's loop, and with it study and tables, run on the cluster instead.
    """
    if not ray.util.client.ray.is_connected():  # type: ignore[no-untyped-call]
        yield
        return
    storage: Any = importlib.import_module("ray.train._internal.storage")
    of_the_node = storage._get_ray_train_session_dir
    with tempfile.TemporaryDirectory(prefix="suite-tune-") as folder:
        storage._get_ray_train_session_dir = lambda: folder
        try:
            yield
        finally:
            storage._get_ray_train_session_dir = of_the_node


def share_of_a_trial(resources: Resources) -> dict[str, float]:
    """Ray resources of one trial.

    Raises:
        RequestError: the whole cluster is smaller than one trial.
    """
    cluster = _cluster_resources()
    gpus = resources.gpus_per_trial
    if gpus is None:
        gpus = 0.25 if cluster.get("GPU", 0) else 0.0
    share = {"CPU": resources.cpus_per_trial, "GPU": gpus}
    if not any(share.values()):
        raise RequestError("a trial asks for no share of any machine; raise --cpus-per-trial above 0")
    for kind, wanted in share.items():
        if wanted > cluster.get(kind, 0):
            raise RequestError(
                f"a trial asks for {wanted:g} {kind} and the cluster has {cluster.get(kind, 0):g}; lower "
                f"--{kind.lower()}s-per-trial"
            )
    return share


def trials_at_once(resources: Resources, share: dict[str, float]) -> int:
    """How many trials the cluster holds at once, or what the user says.

    Of a cluster that others started, more may be asked for than it holds now: nodes join it later. What
    finds no room yet waits.
    """
    cluster = _cluster_resources()
    held = min(int(cluster.get(kind, 0) / wanted + 1e-9) for kind, wanted in share.items() if wanted > 0)
    if resources.max_concurrent is None:
        return max(1, held)
    return min(held, resources.max_concurrent) if resources.of_this_machine else resources.max_concurrent


def _cluster_resources() -> dict[str, float]:
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found


def _no_cluster(address: str | None, error: Exception) -> RequestError:
    return RequestError(
        f"no Ray cluster answers at {address!r} ({str(error).splitlines()[0]}); start one with "
        "'ray start --head', set RAY_AUTH_TOKEN to the token of one that has one, or use this machine "
        "alone with --address local"
    )


def _check_reachable(address: str | None) -> None:
    """Ray itself waits for minutes where nobody listens."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from None


def _avoid_home_token(resources: Resources) -> None:
    """Give a cluster of our own a token of its own, instead of one that Ray writes below the home folder."""
    named = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
    kept = Path.home() / ".ray" / "auth_token"
    if resources.of_this_machine and not named and not kept.exists():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
