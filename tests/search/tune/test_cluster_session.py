"""Ray's start and end as a search sees them; Ray itself is stood in for."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from suite.errors import RequestError
from suite.runs.info import Resources
from suite.search.tune import cluster_session
from suite.search.tune.cluster_session import (
    ray_session,
    share_of_a_trial,
    share_of_a_worker,
    trials_at_once,
)

LARGE = Resources(address="ray.example.org")  # a name without a port is not tried before Ray starts


class FakeRay:
    """What happened to Ray, and what happens while it starts and stops."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.on_start: Callable[[], object] = lambda: None
        self.on_stop: Callable[[], object] = lambda: None

    def init(self, **options: Any) -> None:
        self.on_start()
        self.events.append("started")

    def shutdown(self) -> None:
        self.on_stop()
        self.events.append("stopped")


@pytest.fixture
def fake_ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(cluster_session.ray, "init", fake.init)
    monkeypatch.setattr(cluster_session.ray, "shutdown", fake.shutdown)
    return fake


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """The signal handlers of the test process are its own again afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("own_handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_ray_starts_waits_until_it_can_be_stopped(fake_ray: FakeRay, number: int) -> None:
    fake_ray.on_start = lambda: send(number)
    with pytest.raises(KeyboardInterrupt), ray_session(LARGE):
        fake_ray.events.append("searched")
    assert fake_ray.events == ["started", "stopped"]


@pytest.mark.usefixtures("own_handlers")
def test_an_interrupt_while_ray_stops_waits_for_the_end(fake_ray: FakeRay) -> None:
    fake_ray.on_stop = lambda: send(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), ray_session(LARGE):
        fake_ray.events.append("searched")
    assert fake_ray.events == ["started", "searched", "stopped"]


def test_rays_own_answer_to_sigterm_is_an_interrupt(fake_ray: FakeRay) -> None:
    def leave() -> None:
        raise SystemExit(signal.SIGTERM)

    fake_ray.on_start = leave
    with pytest.raises(KeyboardInterrupt), ray_session(LARGE):
        pass
    assert fake_ray.events == ["stopped"]


def test_a_machine_too_busy_to_start_ray_is_told_in_a_sentence(fake_ray: FakeRay) -> None:
    def give_up() -> None:
        raise Exception("The current node timed out during startup. This could happen because ...")

    fake_ray.on_start = give_up
    with pytest.raises(RequestError, match="Ray did not start in 2 attempts"), ray_session(LARGE):
        pass
    assert fake_ray.events == ["stopped", "stopped"]


def test_ray_is_started_again_where_another_cluster_took_its_port_at_the_same_moment(
    fake_ray: FakeRay,
) -> None:
    def fail_once() -> None:
        if not fake_ray.events:
            raise RuntimeError("Failed to start GCS.  Last 0 lines of error files: ...")

    fake_ray.on_start = fail_once
    with ray_session(LARGE):
        fake_ray.events.append("searched")
    assert fake_ray.events == ["stopped", "started", "searched", "stopped"]


@pytest.mark.usefixtures("own_handlers")
def test_a_second_interrupt_does_not_wait(fake_ray: FakeRay) -> None:
    def insist() -> None:
        send(signal.SIGINT)
        send(signal.SIGINT)
        fake_ray.events.append("waited")

    fake_ray.on_start = insist
    with pytest.raises(KeyboardInterrupt), ray_session(LARGE):
        pass
    assert fake_ray.events == ["stopped"]


@pytest.mark.usefixtures("own_handlers")
def test_sigterm_is_the_searchs_again_when_ray_has_started(fake_ray: FakeRay) -> None:
    def ours(*_: object) -> None:
        fake_ray.events.append("ours")

    signal.signal(signal.SIGTERM, ours)
    fake_ray.on_start = lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray takes it
    with ray_session(LARGE):
        send(signal.SIGTERM)
    assert fake_ray.events == ["started", "ours", "stopped"]


def test_a_trial_that_asks_for_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_session.ray, "cluster_resources", lambda: {"CPU": 2.0})
    with pytest.raises(RequestError, match="--cpus-per-trial above 0"):
        share_of_a_trial(Resources(cpus_per_trial=0))


@pytest.mark.parametrize(
    ("resources", "held"),
    [
        (Resources(), 2),
        (Resources(cpus_per_trial=0.5), 4),
        (Resources(cpus_per_trial=0.5, max_concurrent=3), 3),
        (Resources(max_concurrent=9), 2),
        (Resources(cpus_per_trial=1.5), 1),
    ],
)
def test_as_many_trials_run_at_once_as_the_cluster_holds(
    resources: Resources, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_session.ray, "cluster_resources", lambda: {"CPU": 2.0})
    assert trials_at_once(resources, share_of_a_trial(resources)) == held


def test_a_cluster_may_grow_to_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_session.ray, "cluster_resources", lambda: {"CPU": 2.0})
    resources = Resources(max_concurrent=9, address="auto")
    assert trials_at_once(resources, share_of_a_trial(resources)) == 9


def test_where_there_are_gpus_a_trial_gets_a_quarter_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_session.ray, "cluster_resources", lambda: {"CPU": 16.0, "GPU": 2.0})
    share = share_of_a_trial(Resources())
    assert share == {"CPU": 1.0, "GPU": 0.25}
    assert trials_at_once(Resources(), share) == 8


def nodes(*resources: dict[str, float]) -> list[dict[str, Any]]:
    return [{"Alive": True, "Resources": node} for node in resources]


@pytest.mark.parametrize(
    ("cluster", "count", "share"),
    [
        (nodes({"CPU": 2.0}), 2, {"CPU": 1.0, "GPU": 0.0}),
        (nodes({}, {"CPU": 4.0}, {"CPU": 4.0}), 2, {"CPU": 4.0, "GPU": 0.0}),
        (nodes({"CPU": 4.0}, {"CPU": 8.0}), 3, {"CPU": 4.0, "GPU": 0.0}),
        (nodes({"CPU": 8.0}, {"CPU": 3.0}), 3, {"CPU": 3.0, "GPU": 0.0}),
        (nodes({"CPU": 64.0}, {"CPU": 16.0, "GPU": 4.0}), 4, {"CPU": 4.0, "GPU": 1.0}),
        ([*nodes({"CPU": 2.0}), {"Alive": False, "Resources": {"GPU": 1.0}}], 2, {"CPU": 1.0, "GPU": 0.0}),
    ],
)
def test_workers_get_as_many_cores_as_fit(
    cluster: list[dict[str, Any]], count: int, share: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_session.ray, "nodes", lambda: cluster)
    assert share_of_a_worker(count) == share


@pytest.mark.parametrize(
    ("cluster", "sentence"),
    [
        (nodes({"CPU": 2.0}, {}), "sharing.workers is 3 and the cluster has cores for 2; lower it to 2, or"),
        (nodes({"CPU": 64.0}, {"CPU": 16.0, "GPU": 1.0}), "has GPUs for 1; lower it to 1, or"),
    ],
)
def test_a_cluster_with_too_few_places_for_the_workers_is_refused(
    cluster: list[dict[str, Any]], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_session.ray, "nodes", lambda: cluster)
    with pytest.raises(RequestError) as refused:
        share_of_a_worker(3)
    assert sentence in str(refused.value)


THIS_MACHINE = Resources()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "/tmp/ray"),
            r"Ray does not start on this machine .*RAY_TMPDIR",
        ),
        (OSError("validate_socket_filename failed: AF_UNIX path length cannot exceed 107"), "AF_UNIX"),
        (
            ValueError("The object store is larger than /dev/shm\nmore"),
            r"\(The object store is larger than /dev/shm\)",
        ),
        (ConnectionError("refused"), "Ray does not start on this machine"),
    ],
)
def test_a_fault_of_this_machine_is_not_told_as_one_of_an_address(
    error: Exception, sentence: str, fake_ray: FakeRay
) -> None:
    def fail() -> None:
        raise error

    fake_ray.on_start = fail
    with pytest.raises(RequestError, match=sentence) as refused, ray_session(THIS_MACHINE):
        pass
    assert "None" not in str(refused.value)
    assert fake_ray.events == ["stopped"]


def test_an_address_that_ray_does_not_take_is_named(fake_ray: FakeRay) -> None:
    def fail() -> None:
        raise ValueError("Malformed address")

    fake_ray.on_start = fail
    with (
        pytest.raises(
            RequestError, match=r"does not take the address 'ray.example.org' \(Malformed address\)"
        ),
        ray_session(LARGE),
    ):
        pass


def test_an_address_without_a_host_is_refused_at_once(fake_ray: FakeRay) -> None:
    with pytest.raises(RequestError, match="it names no host"), ray_session(Resources(address="ray://")):
        pass
    assert fake_ray.events == []


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without a token."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("no_token")
def test_a_token_file_that_does_not_exist_does_not_stop_a_local_run(
    fake_ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nonexistent")
    with ray_session(THIS_MACHINE):
        assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    assert fake_ray.events == ["started", "stopped"]


def test_an_empty_token_in_the_home_folder_does_not_stop_a_local_run(
    fake_ray: FakeRay, no_token: Path
) -> None:
    (no_token / ".ray").mkdir()
    (no_token / ".ray" / "auth_token").write_text("\n")
    with ray_session(THIS_MACHINE):
        assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


@pytest.mark.usefixtures("no_token")
def test_a_cluster_elsewhere_needs_the_token_that_is_named(
    fake_ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nonexistent")
    with (
        pytest.raises(RequestError, match="RAY_AUTH_TOKEN_PATH names /nonexistent, which does not exist"),
        ray_session(LARGE),
    ):
        pass
    assert "started" not in fake_ray.events


def test_a_local_cluster_gets_a_folder_that_is_removed(
    fake_ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def init(**options: Any) -> None:
        given.update(options)
        Path(options["_temp_dir"]).mkdir()

    monkeypatch.setattr(cluster_session.ray, "init", init)
    with ray_session(THIS_MACHINE):
        assert Path(given["_temp_dir"]).is_dir()
    assert not Path(given["_temp_dir"]).parent.exists()
    assert given["_system_config"] == {"enable_metrics_collection": False}
