"""What a task of ours that looks at a node needs there, beside what the Ray of this process gives to every task."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

# A Ray that the user has started may not find this package: whoever uses it says how it does.
runtime_env: ContextVar[dict[str, Any] | None] = ContextVar("runtime_env", default=None)
