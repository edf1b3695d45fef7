# WRN Search in a container, from the pins of requirements.txt: for docker, podman and Kubernetes (cluster/kuberay.yaml).
#
#     docker build -t wrn-search .                              # for GPUs: torch's wheels bring CUDA, the host its driver
#     docker build -t wrn-search:cpu --build-arg DEVICE=cpu .   # for CPUs alone: 7 GB less
#     docker run --rm --init --gpus all --shm-size 4g -v "$PWD/results:/results" wrn-search \
#         run search_spaces/digits_quickstart.yaml
#
# docs/cluster.md says more. BASE may be any image of Debian or Ubuntu with Python 3.11 to 3.13.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}

# g++: torch.compile makes code with it. python3-venv is in the image already where Python is not Debian's own.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates g++ \
    && rm -rf /var/lib/apt/lists/*

# cuda or cpu. The wheels for CPUs alone are the same versions, at torch's own index.
ARG DEVICE=cuda
ARG TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt requirements-cluster.txt /opt/wrn-search/
RUN python3 -m venv /opt/venv \
    && case "${DEVICE}" in \
        cuda) ;; \
        cpu) /opt/venv/bin/pip install --no-cache-dir --index-url "${TORCH_CPU_INDEX}" \
            $(grep -E '^(torch|torchvision)==' /opt/wrn-search/requirements.txt) ;; \
        *) echo "DEVICE must be cuda or cpu, but got ${DEVICE}" >&2; exit 2 ;; \
    esac \
    && /opt/venv/bin/pip install --no-cache-dir -r /opt/wrn-search/requirements-cluster.txt

# The project is on the environment's path, and found from any folder, as cluster/install.sh does it on a node.
COPY LICENSE run_search.py /opt/wrn-search/
COPY search_spaces /opt/wrn-search/search_spaces
COPY wrn_search /opt/wrn-search/wrn_search
RUN echo /opt/wrn-search > "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/wrn_search_project.pth" \
    && /opt/venv/bin/python -m compileall -q /opt/wrn-search/wrn_search \
    && useradd --uid 1000 --create-home researcher \
    && install --directory --owner=researcher /results /data

ENV PATH=/opt/venv/bin:$PATH \
    WRN_SEARCH_HOME=/opt/wrn-search \
    WRN_SEARCH_RESULTS=/results \
    WRN_SEARCH_DATA=/data
USER 1000
WORKDIR /home/researcher
ENTRYPOINT ["python", "-m", "wrn_search"]
CMD ["--help"]
