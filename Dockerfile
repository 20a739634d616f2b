# The image for `suite manifest kuberay` (docs/cluster.md): Python, Ray with its dashboard, and the suite.
#
#   docker build -t registry/suite:1 .                                # CUDA build of torch from PyPI
#   docker build -t registry/suite:1-cpu \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu .  # CPU build, several gigabytes smaller
#
# Nothing is stored in /etc/suite: the manifest mounts the run's files there and would hide it.
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
# A pip index that has the build of torch to install. Empty: PyPI's own, with CUDA on x86-64.
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src

# torch first and pinned, in a layer of its own: it changes rarely and is most of the image.
COPY constraints.txt ./
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} --constraint constraints.txt \
      "torch==$(sed -n 's/^torch==//p' constraints.txt)"

COPY pyproject.toml README.md LICENSE ./
COPY suite suite
COPY search_spaces search_spaces
COPY reports reports
RUN pip install --constraint constraints.txt ".[cluster,compress,opencv,sets]"

FROM python:${PYTHON_VERSION}-slim-bookworm
# KubeRay's readiness and liveness probes call wget. Its version follows the base image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 suite
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    SUITE_CACHE=/home/suite/.cache/suite
USER 1000
WORKDIR /home/suite
# KubeRay replaces the command; without it the image prints the help.
CMD ["python", "-m", "suite.cli", "--help"]
