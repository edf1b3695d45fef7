"""What networks begin with, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wrn_search.space.rules.starting_file import NOTHING


def weights_in_words(told: Mapping[str, Any]) -> list[str]:
    """Lines of the file of `model.init_from`, from the plain values that `check --json` prints as `init_from`."""
    frozen = f", frozen: {told['frozen']}" if told["frozen"] != NOTHING else ""
    return [
        f"init_from     {told['path']} (sha256 {told['sha256'][:12]}): {told['network']}, {told['source']}{frozen}",
        f"              {told['head']}",
        f"              {told['preprocessing']}",
    ]
