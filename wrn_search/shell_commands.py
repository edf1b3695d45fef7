"""The commands that our outputs print for their readers, quoted so that a shell takes them as they stand."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_PLUGINS = "WRN_SEARCH_PLUGINS"  # see `plugins.py`
_ESCAPES = {"\\": "\\\\", "'": "\\'"}


def ours(command: str, *arguments: str | Path) -> str:
    """`python -m wrn_search COMMAND ARGUMENTS`; a path that begins with `-` is written so that it is no option.

    With the plugins of this process, without which the command might not know a data set.
    """
    given = [path for path in os.environ.get(_PLUGINS, "").split(os.pathsep) if path]
    plugins = [word for path in given for word in ("--plugin", Path(path))]
    return shell_line("python", "-m", "wrn_search", command, *arguments, *plugins)


def shell_line(*words: str | Path) -> str:
    """A command line. Options come as text, files and folders as paths."""
    return " ".join(_quoted(_no_option(word) if isinstance(word, Path) else word) for word in words)


def _no_option(path: Path) -> str:
    text = str(path)
    return f"./{text}" if text.startswith("-") else text


def _quoted(text: str) -> str:
    """As `shlex.quote`; what a terminal might obey stands as an escape of bash's, not as itself."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(_ESCAPES.get(sign) or _spelt(sign) for sign in text) + "'"


def _spelt(sign: str) -> str:
    """bash reads \\x85 as a byte, Python writes it for a character; half of a surrogate pair is a byte of a path."""
    number = ord(sign)
    if sign.isprintable():
        return sign
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x80 else f"\\U{number:08x}"
