"""A RayJob manifest: a Ray cluster on Kubernetes for the length of one search.

The fields are those of KubeRay's ``ray.io/v1`` RayJob. The operator starts the cluster, runs the entry point on its
head, and deletes the cluster afterwards.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from suite.cluster.remote_run import RemoteRun
from suite.errors import RequestError

#: Where the pods of the cluster see the files of the ConfigMap. A mount hides what the image has at the same path,
#: so this is a path at which no image has suite itself.
FILES = "/etc/suite"
SCRIPT, SEARCH = "run.sh", "search.yaml"
#: KubeRay names services after a RayJob, so it refuses a longer name, and one that is not an RFC 1035 label.
NAME_CHARACTERS = 47
JOB_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
#: The first version of Ray for which KubeRay accepts ``authOptions``.
LEAST_RAY = (2, 52)
#: The name of a Kubernetes object (RFC 1123).
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
#: Seconds that a search has to write its results, from the signal to stop until its pod is killed.
GRACE_SECONDS = 120
#: Seconds for which a finished cluster stays, so that its log can be read.
KEPT_SECONDS = 600


@dataclass(frozen=True)
class Pods:
    """The cluster to request.

    Attributes:
        name: The name of the RayJob.
        image: A container image with suite and Ray.
        ray_version: The version of Ray in the image.
        nodes: How many pods train; the head trains nothing.
        cpus: Cores of each pod that trains.
        gpus: GPUs of each pod that trains.
        memory_gib: Memory of each pod that trains, in GiB.
        head_cpus: Cores of the head, which runs the driver and, at the end, the test and the timing.
        head_memory_gib: Memory of the head, in GiB.
        namespace: The namespace; None for the current one.
        volume_claim: The volume claim that all pods mount; None for no shared volume.
        mount: The path at which they mount it.
        secret: The secret whose keys all pods have as environment variables, such as S3 keys; None for none.
        retries: How many clusters may be started after the first has failed.
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
    """Writes text of several lines as a literal block."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def kuberay_manifest(run: RemoteRun, pods: Pods) -> str:
    """Return the YAML for ``kubectl apply -f``: a ConfigMap with the run's files, and the RayJob.

    Raises:
        RequestError: Kubernetes would refuse a name, or the results would be lost with the pods.
    """
    _check_names(pods)
    _check_version(pods.ray_version)
    _check_mount(pods.mount)
    _check_is_kept("--out", run.out, pods)
    if run.packed is not None:
        _check_is_kept("data", run.packed, pods)
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
                f"{option} {name!r} is not a valid name in Kubernetes; use lowercase letters, digits and hyphens"
            )
    if len(pods.name) > NAME_CHARACTERS or not JOB_NAME.fullmatch(pods.name):
        raise RequestError(
            f"--name {pods.name!r} is not a valid name for a RayJob; use at most {NAME_CHARACTERS} lowercase "
            "letters, digits and hyphens, starting with a letter"
        )
    if not pods.image or re.search(r"\s", pods.image):
        raise RequestError(f"--image {pods.image!r} is not an image name; give it as REPOSITORY:TAG")


def _check_version(version: str) -> None:
    found = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?([-+.]?[a-z0-9.]+)?", version, re.ASCII)
    if found is None or (int(found[1]), int(found[2])) < LEAST_RAY:
        least = ".".join(map(str, LEAST_RAY))
        raise RequestError(
            f"--ray-version {version!r} has no token authentication on KubeRay; give the version of Ray in "
            f"the image, such as 2.60.0, which must be {least} or later"
        )


def _check_mount(mount: str) -> None:
    path = PurePosixPath(mount)
    used = path.is_relative_to(FILES) or PurePosixPath(FILES).is_relative_to(path)
    if not path.is_absolute() or used or ":" in mount or ".." in path.parts or not mount.isprintable():
        raise RequestError(
            f"--mount {mount!r} cannot hold a volume; name an absolute path, such as /mnt/suite, that the "
            "pods do not use otherwise"
        )


def _check_is_kept(option: str, path: str, pods: Pods) -> None:
    if option == "--out" and path.startswith("s3://"):
        return
    if pods.volume_claim and PurePosixPath(path).is_relative_to(pods.mount) and ".." not in path.split("/"):
        return
    shared = (
        f"name a folder below {pods.mount}, where the volume of --volume-claim is mounted"
        if pods.volume_claim
        else "mount a volume with --volume-claim and name a folder on it"
    )
    instead = ", or an s3:// URL" if option == "--out" else ""
    raise RequestError(f"{option} {path} of the run is on a pod's own disk; {shared}{instead}")


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
        # Trials on the head would disturb the driver, and the timing at the end.
        "rayStartParams": {"num-cpus": "0"},
        "template": _pod("ray-head", pods, cpus=pods.head_cpus, memory_gib=pods.head_memory_gib, gpus=0),
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": _metadata(pods.name, pods),
        "spec": {
            # The command itself is in the ConfigMap, because KubeRay's shell and Ray's would both unquote it here.
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


def _pod(name: str, pods: Pods, *, cpus: int, memory_gib: int, gpus: int) -> dict[str, Any]:
    amounts: dict[str, Any] = {"cpu": str(cpus), "memory": f"{memory_gib}Gi"}
    if gpus:
        amounts["nvidia.com/gpu"] = str(gpus)
    mounts = [{"name": "suite-files", "mountPath": FILES, "readOnly": True}]
    volumes: list[dict[str, Any]] = [{"name": "suite-files", "configMap": {"name": _files_of(pods)}}]
    if pods.volume_claim is not None:
        mounts.append({"name": "shared", "mountPath": pods.mount})
        volumes.append({"name": "shared", "persistentVolumeClaim": {"claimName": pods.volume_claim}})
    container: dict[str, Any] = {
        "name": name,
        "image": pods.image,
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "volumeMounts": mounts,
    }
    if pods.secret is not None:
        container["envFrom"] = [{"secretRef": {"name": pods.secret}}]
    return {
        "spec": {
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "containers": [container],
            "volumes": volumes,
        }
    }


def _metadata(name: str, pods: Pods) -> dict[str, Any]:
    return {"name": name} | ({"namespace": pods.namespace} if pods.namespace else {})


def _files_of(pods: Pods) -> str:
    return f"{pods.name}-files"
