"""A RayJob manifest: a Ray cluster on Kubernetes for the length of one search.

The fields are those of KubeRay's ``ray.io/v1`` RayJob; the operator starts the cluster, runs the entry
point on its head, and takes the cluster away again.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from suite.cluster.remote_run import RemoteRun
from suite.errors import RequestError

#: Where the pods of the cluster see the files of the ConfigMap. A mount hides what an image has at its place,
#: so that it is none where an image may have the suite itself.
FILES = "/etc/suite"
SCRIPT, SEARCH = "run.sh", "search.yaml"
#: KubeRay refuses a longer name of a RayJob, or one that is no label of RFC 1035: it names services after it.
NAME_CHARACTERS = 47
JOB_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
#: The first version of Ray with which KubeRay takes ``authOptions``.
LEAST_RAY = (2, 52)
#: A name of a Kubernetes object (RFC 1123).
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
#: Seconds in which a search that is told to stop writes what it has, before its pod is killed.
GRACE_SECONDS = 120
#: Seconds for which a finished cluster stays, for whoever wants to look at its log.
KEPT_SECONDS = 600


@dataclass(frozen=True)
class Pods:
    """The cluster to ask for.

    Attributes:
        name: of the RayJob.
        image: with the suite and Ray in it.
        ray_version: of the image.
        nodes: pods that train; the head trains nothing.
        cpus, gpus, memory_gib: of each of them.
        head_cpus, head_memory_gib: of the head, which runs the driver and, at the end, test and timing.
        namespace: None: the current one.
        volume_claim: a claim that all pods mount; None: no shared volume.
        mount: where they mount it.
        secret: whose keys all pods have as environment variables, such as keys of S3; None: none.
        retries: clusters that may be started again after the first.
    """

    name: str
    image: str
    ray_version: str
    nodes: int
    cpus: int
    gpus: int
    memory_gib: int
    head_cpus: int
    head_memory_gib: int
    namespace: str | None
    volume_claim: str | None
    mount: str
    secret: str | None
    retries: int


class _Readable(yaml.SafeDumper):
    """Files stand in the manifest as the files they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def kuberay_manifest(run: RemoteRun, pods: Pods) -> str:
    """The YAML for ``kubectl apply -f``: a ConfigMap with the run's files, and the RayJob.

    Raises:
        RequestError: a name is none that Kubernetes takes, or what is written would be lost with the pods.
    """
    _check_names(pods)
    _check_version(pods.ray_version)
    _check_mount(pods.mount)
    _check_lasting("--out", run.out, pods)
    if run.packed is not None:
        _check_lasting("data", run.packed, pods)
    documents = [_config_map(run, pods), _ray_job(pods)]
    return yaml.dump_all(documents, Dumper=_Readable, sort_keys=False, explicit_start=True, width=10_000)


def _check_names(pods: Pods) -> None:
    named = {
        "--name": pods.name,
        "--namespace": pods.namespace,
        "--volume-claim": pods.volume_claim,
        "--secret": pods.secret,
    }
    for option, name in named.items():
        if name is not None and not OBJECT_NAME.fullmatch(name):
            raise RequestError(
                f"{option} {name!r} is no name for Kubernetes; use small letters, digits and hyphens"
            )
    if len(pods.name) > NAME_CHARACTERS or not JOB_NAME.fullmatch(pods.name):
        raise RequestError(
            f"--name {pods.name!r} is no name for a RayJob; use at most {NAME_CHARACTERS} small "
            "letters, digits and hyphens, a letter first"
        )
    if not pods.image or re.search(r"\s", pods.image):
        raise RequestError(f"--image {pods.image!r} is no name of an image")


def _check_version(version: str) -> None:
    found = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?([-+.]?[a-z0-9.]+)?", version, re.ASCII)
    if found is None or (int(found[1]), int(found[2])) < LEAST_RAY:
        least = ".".join(map(str, LEAST_RAY))
        raise RequestError(
            f"--ray-version {version!r} is none with token authentication on KubeRay; give the version "
            f"of Ray in the image, as 2.60.0, from {least} up"
        )


def _check_mount(mount: str) -> None:
    place = PurePosixPath(mount)
    used = place.is_relative_to(FILES) or PurePosixPath(FILES).is_relative_to(place)
    if not place.is_absolute() or used or ":" in mount or ".." in place.parts or not mount.isprintable():
        raise RequestError(
            f"--mount {mount!r} is no place for a volume; name an absolute path, as /mnt/suite, that the "
            "pods do not use otherwise"
        )


def _check_lasting(option: str, place: str, pods: Pods) -> None:
    if option == "--out" and place.startswith("s3://"):
        return
    if pods.volume_claim and PurePosixPath(place).is_relative_to(pods.mount) and ".." not in place.split("/"):
        return
    shared = (
        f"name a folder below {pods.mount}, where the volume of --volume-claim is mounted"
        if pods.volume_claim
        else "mount a volume with --volume-claim and name a folder on it"
    )
    instead = ", or an s3:// URL" if option == "--out" else ""
    raise RequestError(f"{option} {place} of the run lies on a pod's own disk; {shared}{instead}")


def _config_map(run: RemoteRun, pods: Pods) -> dict[str, Any]:
    search = None if run.search_file is None else f"{FILES}/{SEARCH}"
    command = shlex.join(["python", "-m", "suite.cli", *run.command(search)])
    files = {SCRIPT: f"exec {command}\n"}
    if run.search_file is not None:
        files[SEARCH] = run.search_file.read_text(encoding="utf-8")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(_files_of(pods), pods),
        "data": files,
    }


def _ray_job(pods: Pods) -> dict[str, Any]:
    workers: dict[str, Any] = {
        "groupName": "workers",
        "replicas": pods.nodes,
        "minReplicas": pods.nodes,
        "maxReplicas": pods.nodes,
        "rayStartParams": {},
        "template": _pod("ray-worker", pods, cpus=pods.cpus, memory_gib=pods.memory_gib, gpus=pods.gpus),
    }
    head: dict[str, Any] = {
        # Trials there would take the machine from the driver, and from the timing at the end.
        "rayStartParams": {"num-cpus": "0"},
        "template": _pod("ray-head", pods, cpus=pods.head_cpus, memory_gib=pods.head_memory_gib, gpus=0),
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": _metadata(pods.name, pods),
        "spec": {
            # The command itself is in the ConfigMap: KubeRay's shell and Ray's quote one after the other.
            "entrypoint": f"bash {FILES}/{SCRIPT}",
            "runtimeEnvYAML": yaml.safe_dump({"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(GRACE_SECONDS)}}),
            "backoffLimit": pods.retries,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "rayClusterSpec": {
                "rayVersion": pods.ray_version,
                "authOptions": {"mode": "token"},
                "headGroupSpec": head,
                "workerGroupSpecs": [workers],
            },
        },
    }


def _pod(container: str, pods: Pods, *, cpus: int, memory_gib: int, gpus: int) -> dict[str, Any]:
    amounts: dict[str, Any] = {"cpu": str(cpus), "memory": f"{memory_gib}Gi"}
    if gpus:
        amounts["nvidia.com/gpu"] = str(gpus)
    mounts = [{"name": "suite-files", "mountPath": FILES, "readOnly": True}]
    volumes: list[dict[str, Any]] = [{"name": "suite-files", "configMap": {"name": _files_of(pods)}}]
    if pods.volume_claim is not None:
        mounts.append({"name": "shared", "mountPath": pods.mount})
        volumes.append({"name": "shared", "persistentVolumeClaim": {"claimName": pods.volume_claim}})
    made: dict[str, Any] = {
        "name": container,
        "image": pods.image,
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "volumeMounts": mounts,
    }
    if pods.secret is not None:
        made["envFrom"] = [{"secretRef": {"name": pods.secret}}]
    return {
        "spec": {
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "containers": [made],
            "volumes": volumes,
        }
    }


def _metadata(name: str, pods: Pods) -> dict[str, Any]:
    return {"name": name} | ({"namespace": pods.namespace} if pods.namespace else {})


def _files_of(pods: Pods) -> str:
    return f"{pods.name}-files"
