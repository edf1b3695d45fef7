"""Another process of a training on several GPUs: it does what its standard input says, and ends with it.

python -m wrn_search.training.several_gpus.replica_process
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import torch

from wrn_search.images.prepared_data import prepare
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.divergence import Diverged
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.training_loop import Training

_SECONDS_TO_END = 5.0


def follow(commands: IO[str]) -> None:
    """A line of JSON that says what to train, then a command a line: `epoch`, or `restore` and a path."""
    task = json.loads(commands.readline())
    device, replica = torch.device(task["device"]), Replica(task["rank"], task["size"])
    keep_freed_memory()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    config = TrialConfig.from_dict(task["config"])
    data = prepare(config.dataset)
    replica.join(Path(task["meeting"]), device)
    training = Training(config, data, device=task["device"], threads=task["threads"], replica=replica)
    for line in _as_they_come(commands):
        command, _, path = line.rstrip("\n").partition(" ")
        if command == "restore":
            training.restore(Path(path))
            continue
        try:
            training.run_epoch()
        except Diverged:  # all replicas saw it, and the first one says so
            continue
    training.close()
    replica.leave()


def _as_they_come(commands: IO[str]) -> Iterator[str]:
    """The lines; when they end while one is still obeyed, the process does, as the first replica is gone."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in commands:
            lines.put(line)
        lines.put(None)
        time.sleep(_SECONDS_TO_END)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    while (line := lines.get()) is not None:
        yield line


if __name__ == "__main__":
    try:
        # Not by `sys.stdin`: worker processes that decode images are copies of this one, close it first, and would wait
        # for ever for the lock that its reader holds. Nor is this one closed, for the same reason.
        follow(os.fdopen(os.dup(sys.stdin.fileno())))
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # at once: the others wait for it
