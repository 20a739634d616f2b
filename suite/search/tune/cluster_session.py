"""Ray for the length of a search: a local cluster of this machine's cores, or one that is running."""

import logging
import os
import secrets
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from suite.errors import RequestError
from suite.files.paths import is_there
from suite.machine import usable_cpus
from suite.runs.info import Resources
from suite.search.interrupts import interrupts_held_back
from suite.search.tune.known_addresses import remember_address
from suite.search.tune.ray_folder import ray_folder
from suite.search.tune.ray_private import (
    GCS_DID_NOT_START,
    STARTUP_TIMED_OUT,
    on_loopback,
    staging_folder_of_client,
)
from suite.search.tune.token import check_token, home_token, unusable_token

#: Ray's own object store can be small, because the trials' data is memory-mapped, not sent.
OBJECT_STORE_BYTES = 100 * 2**20
#: On a busy machine, a start of Ray fails now and then.
START_ATTEMPTS = 2
#: How the address of a cluster begins that is used from outside of it.
CLIENT = "ray://"


@contextmanager
def ray_session(resources: Resources) -> Iterator[None]:
    """Start or join Ray for the length of the context.

    A cluster of this machine listens on the loopback interface only, serves no metrics, and keeps its files in a
    folder that other users cannot read and that is removed afterwards.

    Raises:
        RequestError: There is no Ray cluster at the address, or Ray did not start.
    """
    _check_reachable(resources.address)
    warnings.filterwarnings("ignore", category=FutureWarning, module="ray")
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a trial's failure is a row, not a log
    with _local_cluster() if resources.of_this_machine else _cluster_at(resources.address) as options:
        try:
            with interrupts_held_back():
                _start(resources.address, options)
            remember_address(resources.address)
            with staging_folder_of_client():
                yield
        finally:
            with interrupts_held_back():
                ray.shutdown()


@contextmanager
def _local_cluster() -> Iterator[dict[str, Any]]:
    """Prepare a cluster of this machine; yield the options of ``ray.init``."""
    _have_token_of_its_own()
    with ray_folder() as folder, on_loopback():
        yield {
            # Without "local" Ray would join a cluster that another process has started on this machine.
            "address": "local",
            "num_cpus": usable_cpus(),
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": str(folder),
            "_system_config": {"enable_metrics_collection": False},
        }


@contextmanager
def _cluster_at(address: str | None) -> Iterator[dict[str, Any]]:
    check_token()
    yield {"address": address}


def _start(address: str | None, options: dict[str, Any]) -> None:
    """Start or join Ray. A start that went wrong by chance is tried again."""
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
            return
        except SystemExit as stopped:  # Ray's own answer to SIGTERM, while it starts
            raise KeyboardInterrupt from stopped
        except Exception as error:
            if not _by_chance(error):
                if (refusal := _refusal(address, options, error)) is None:
                    raise
                raise refusal from None
            if attempt == START_ATTEMPTS:
                raise RequestError(
                    f"Ray did not start in {START_ATTEMPTS} attempts; try again when this machine has less to do"
                ) from None
            ray.shutdown()


def _by_chance(error: Exception) -> bool:
    """Whether another attempt may go well: the machine was busy, or two clusters chose one port."""
    return any(words in str(error) for words in (STARTUP_TIMED_OUT, GCS_DID_NOT_START))


def _refusal(address: str | None, options: dict[str, Any], error: Exception) -> RequestError | None:
    """Say why Ray did not start, or was not joined; None: nobody knows."""
    if "_temp_dir" in options and isinstance(error, OSError | ValueError):
        return RequestError(
            f"Ray does not start on this machine ({_first_line(error)}); correct what it names, give it room with "
            "RAY_TMPDIR, or remove what the environment sets for it (RAY_...)"
        )
    if isinstance(error, ConnectionError):
        return _no_cluster(address, error)
    if isinstance(error, ValueError):
        return _refused(address, _first_line(error))
    return None


def share_of_a_trial(resources: Resources) -> dict[str, float]:
    """Return the Ray resources of one trial.

    Raises:
        RequestError: The whole cluster is smaller than one trial.
    """
    cluster = _cluster_resources()
    gpus = resources.gpus_per_trial
    if gpus is None:
        gpus = 0.25 if cluster.get("GPU", 0) else 0.0
    share = {"CPU": resources.cpus_per_trial, "GPU": gpus}
    if not any(share.values()):
        raise RequestError("a trial asks for no share of any machine; raise --cpus-per-trial above 0")
    for kind, requested in share.items():
        if requested > cluster.get(kind, 0):
            raise RequestError(
                f"a trial asks for {requested:g} {kind} and the cluster has {cluster.get(kind, 0):g}; lower "
                f"--{kind.lower()}s-per-trial"
            )
    return share


def share_of_a_node() -> dict[str, float]:
    """Return the Ray resources of one whole node: all its cores, and a GPU where a node of the cluster has one."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    gpus = min(1.0, max(node.get("GPU", 0.0) for node in nodes))
    return {"CPU": max(node.get("CPU", 0.0) for node in nodes if node.get("GPU", 0.0) >= gpus), "GPU": gpus}


def share_of_a_worker(count: int) -> dict[str, float]:
    """Return the Ray resources of each of several workers: a GPU where the cluster has any, and as many cores as fit.

    Args:
        count: Of the workers.

    Raises:
        RequestError: The cluster has fewer GPUs, or fewer cores, than workers.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    cores = [int(node.get("CPU", 0)) for node in nodes]
    gpus = [int(node.get("GPU", 0)) for node in nodes]
    kind, most = ("GPU", gpus) if any(gpus) else ("core", cores)
    for share in range(max(cores, default=0), 0, -1):
        places = sum(min(own // share, limit) for own, limit in zip(cores, most, strict=True))
        if places >= count:
            return {"CPU": float(share), "GPU": float(kind == "GPU")}
    places = sum(min(own, limit) for own, limit in zip(cores, most, strict=True))
    raise RequestError(
        f"sharing.workers is {count} and the cluster has {kind}s for {places}; lower it to {max(1, places)}, or "
        "join more nodes to the cluster"
    )


def trials_at_once(resources: Resources, share: dict[str, float]) -> int:
    """Return how many trials may train at the same time.

    It is what the cluster holds, or what the user asked for. On a cluster that was already running the user
    may ask for more than it holds now, as nodes may join it later; the surplus trials wait.
    """
    cluster = _cluster_resources()
    capacity = min(
        int(cluster.get(kind, 0) / requested + 1e-9) for kind, requested in share.items() if requested > 0
    )
    if resources.max_concurrent is None:
        return max(1, capacity)
    return min(capacity, resources.max_concurrent) if resources.of_this_machine else resources.max_concurrent


def _cluster_resources() -> dict[str, float]:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return resources


def _refused(address: str | None, reason: str) -> RequestError:
    return RequestError(
        f"Ray does not take the address {address!r} ({reason}); give --address as HOST:PORT, auto or local"
    )


def _no_cluster(address: str | None, error: Exception) -> RequestError:
    return RequestError(
        f"no Ray cluster answers at {address!r} ({_first_line(error)}); start one with "
        "'ray start --head', set RAY_AUTH_TOKEN to the token of one that has one, or use this machine "
        "alone with --address local"
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300].rstrip(".")


def _check_reachable(address: str | None) -> None:
    """Refuse an address at which nothing listens; Ray itself would wait for minutes."""
    if address == CLIENT:
        raise _refused(address, "it names no host")
    host, _, port = (address or "").removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from None


def _have_token_of_its_own() -> None:
    """Give a local cluster a token where there is none to use; Ray would write one below the home folder."""
    named = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
    if unusable_token() or not (named or is_there(home_token())):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
