"""The RayJob manifest, checked against the schema that KubeRay publishes."""

import json
import os
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from suite.cli.main import build_parser, main

#: The environment variable with the path of a JSON copy of KubeRay's schema of RayJob (ray.io/v1).
SCHEMA = "KUBERAY_RAYJOB_SCHEMA"
SPACE = (
    "name: mine\ndata: faces\nobjectives: [val_mae]\ntrials: 2\nvary:\n  lambda_l1: {low: 0.1, high: 1.0}\n"
)


def documents(capsys: pytest.CaptureFixture[str], options: str, *request: str) -> tuple[Any, Any]:
    """The ConfigMap and the RayJob that a command prints."""
    assert main(["manifest", "kuberay", *shlex.split(options), "--", *request]) == 0
    config_map, ray_job = yaml.safe_load_all(capsys.readouterr().out)
    return config_map, ray_job


def closed(schema: Any) -> Any:
    """The schema with unknown fields forbidden, because the API server drops them silently."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    return inner


@cache
def validator() -> jsonschema.Draft202012Validator:
    if SCHEMA not in os.environ:
        pytest.skip(f"{SCHEMA} names no copy of KubeRay's schema")
    schema = json.loads(Path(os.environ[SCHEMA]).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(closed(schema))


def problems(ray_job: Any) -> list[str]:
    return [error.message for error in validator().iter_errors(ray_job)]


@pytest.mark.parametrize(
    ("options", "out"),
    [
        ("--image suite:1", "s3://bucket/runs/a"),
        ("--image suite:1 --nodes 2 --gpus 4 --cpus 32 --memory 128", "s3://bucket/runs/a"),
        ("--image r.io/x/suite:1 --volume-claim shared --mount /data --retries 3", "/data/runs/a"),
        ("--image suite:1 --secret keys --namespace vision --name faces-7 --ray-version 2.59.0", "s3://b/a"),
    ],
)
def test_the_manifest_is_valid_under_the_published_schema(
    options: str, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, ray_job = documents(capsys, options, "run", "--search", "tiny", "--out", out)
    assert problems(ray_job) == []


def test_the_schema_notices_a_misspelt_field(capsys: pytest.CaptureFixture[str]) -> None:
    _, ray_job = documents(capsys, "--image suite:1", "run", "--search", "tiny", "--out", "s3://b/a")
    ray_job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["container"] = []
    (problem,) = problems(ray_job)
    assert "'container' was unexpected" in problem


def test_every_option_is_where_kuberay_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        "--image suite:1 --nodes 3 --gpus 4 --cpus 32 --memory 128 --head-cpus 2 --head-memory 8 "
        "--secret keys --volume-claim shared --namespace vision --name faces --ray-version 2.59.0 --retries 2"
    )
    config_map, ray_job = documents(capsys, options, "run", "--search", "tiny", "--out", "/mnt/suite/a")
    assert ray_job["metadata"] == {"name": "faces", "namespace": "vision"}
    assert config_map["metadata"]["namespace"] == "vision"
    spec = ray_job["spec"]
    assert (spec["backoffLimit"], spec["rayClusterSpec"]["rayVersion"]) == (2, "2.59.0")
    (workers,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    assert workers["replicas"] == 3
    (worker,) = workers["template"]["spec"]["containers"]
    assert worker["resources"]["limits"] == {"cpu": "32", "memory": "128Gi", "nvidia.com/gpu": "4"}
    head = spec["rayClusterSpec"]["headGroupSpec"]
    (made,) = head["template"]["spec"]["containers"]
    assert made["resources"]["requests"] == {"cpu": "2", "memory": "8Gi"}
    assert head["rayStartParams"]["num-cpus"] == "0"
    for pod in (head["template"]["spec"], workers["template"]["spec"]):
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "keys"}}]
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounted == {"suite-files": "/etc/suite", "shared": "/mnt/suite"}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes["shared"]["persistentVolumeClaim"] == {"claimName": "shared"}
        assert volumes["suite-files"]["configMap"]["name"] == config_map["metadata"]["name"]


def test_every_option_of_the_run_is_passed_on_and_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my 'space'.yaml"
    file.write_text(SPACE)
    asked = ["run", "--search", str(file), "--trials", "3", "--epochs", "2", "--seed", "5"]
    asked += ["--set", "base.batch_size=16", "--max-concurrent", "2", "--cpus-per-trial", "0.5"]
    asked += [
        "--gpus-per-trial",
        "0.25",
        "--data",
        "/mnt/suite/my faces",
        "--out",
        '/mnt/suite/it\'s "$HOME"',
    ]
    config_map, ray_job = documents(capsys, "--image suite:1 --volume-claim shared", *asked)
    assert problems(ray_job) == []
    assert ray_job["spec"]["entrypoint"] == "bash /etc/suite/run.sh"
    words = shlex.split(config_map["data"]["run.sh"])
    assert words[:4] == ["exec", "python", "-m", "suite.cli"]
    read = vars(build_parser().parse_args(words[4:]))
    changed = {"search": "/etc/suite/search.yaml", "address": "auto", "or_resume": True}
    assert read == {**vars(build_parser().parse_args(asked)), **changed}
    assert config_map["data"]["search.yaml"] == SPACE


@pytest.mark.parametrize(
    ("options", "request_made", "complaint"),
    [
        ("", "run --search tiny --out s3://b/a --address auto", "has an --address"),
        ("", "run --search tiny", "the run has no --out"),
        (
            "",
            "run --search tiny --out runs/a",
            "is on a pod's own disk; mount a volume with --volume-claim",
        ),
        ("--volume-claim v", "run --search tiny --out /mnt/other/a", "name a folder below /mnt/suite"),
        ("--volume-claim v", "run --search tiny --out /mnt/suite/../a", "name a folder below /mnt/suite"),
        (
            "",
            "run --search tiny --out s3://b/a --data packed",
            "data packed of the run is on a pod's own",
        ),
        # From the search space as well.
        (
            "",
            "run --search tiny --out s3://b/a --set data=/packed",
            "data /packed of the run is on a pod's",
        ),
        (
            "--volume-claim v --mount data",
            "run --search tiny --out data/a",
            "--mount 'data' cannot hold a volume",
        ),
        (
            "--volume-claim v --mount /etc",
            "run --search tiny --out /etc/a",
            "--mount '/etc' cannot hold a volume",
        ),
        (
            "--volume-claim v --mount /a/..",
            "run --search tiny --out /a/b",
            "--mount '/a/..' cannot hold a volume",
        ),
        # KubeRay itself refuses all of these.
        (
            "--name 7-faces",
            "run --search tiny --out s3://b/a",
            "--name '7-faces' is not a valid name for a RayJob",
        ),
        ("--ray-version latest", "run --search tiny --out s3://b/a", "'latest' has no token authentication"),
        ("--ray-version 2.40.0", "run --search tiny --out s3://b/a", "must be 2.52 or later"),
        (
            "--name My_Job",
            "run --search tiny --out s3://b/a",
            "--name 'My_Job' is not a valid name in Kubernetes",
        ),
        (f"--name {'a' * 48}", "run --search tiny --out s3://b/a", "use at most 47 lowercase letters"),
        ("--secret ../x", "run --search tiny --out s3://b/a", "--secret '../x' is not a valid name"),
        ("", "run --search nosuch --out s3://b/a", '"nosuch" is neither a search space that ships'),
        ("", "run --search tiny --set trails=3 --out s3://b/a", 'did you mean "trials"?'),
        ("", "resume s3://b/a", "'suite resume' cannot be sent"),
        ("-o nosuch/job.yaml", "run --search tiny --out s3://b/a", "nosuch/job.yaml cannot be written"),
    ],
)
def test_a_job_that_could_not_run_is_refused(
    options: str,
    request_made: str,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    made = ["manifest", "kuberay", "--image", "suite:1", *options.split(), "--", *request_made.split()]
    assert main(made) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert complaint in said.err


def test_a_newline_in_a_name_cannot_add_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        "manifest",
        "kuberay",
        "--image",
        "suite:1",
        "--",
        "run",
        "--search",
        "tiny",
        "--out",
        "s3://b/a\nrm x",
    ]
    assert main(made) == 2
    assert "characters that cannot be printed" in capsys.readouterr().err
