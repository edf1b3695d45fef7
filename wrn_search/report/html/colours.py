"""Colours of the page and its figures for light and dark screens; a figure names them, the page looks them up.

Series: Okabe & Ito's colours, which people with any colour blindness tell apart; lighter ones on dark. Ordered colours
and maps: ColorBrewer's YlGnBu and matplotlib's viridis, which are read by lightness alone. In a map
low values stand out.
"""

from __future__ import annotations

from typing import Any

_YL_GN_BU = ["#ffffd9", "#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#253494"]
_VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]


def _scale(colours: list[str]) -> list[list[Any]]:
    return [[index / (len(colours) - 1), colour] for index, colour in enumerate(colours)]


# name -> colour; a figure writes "@name"
LIGHT: dict[str, Any] = {
    "page": "#ffffff",
    "panel": "#f6f7f8",
    "ink": "#1a1d21",
    "muted": "#59626d",
    "line": "#dfe3e7",
    "grid": "#eceef1",
    "axis": "#8b949e",
    "pale": "#a9b1ba",
    "empty": "#e4e7eb",
    "link": "#00558a",
    "blue": "#0072b2",
    "orange": "#d55e00",
    "green": "#009e73",
    "purple": "#b0578d",
    "yellow": "#c98a00",
    "sky": "#3f9fd8",
    "band": "rgba(0, 114, 178, 0.18)",
    "map": _scale(_YL_GN_BU[::-1]),
    **{f"ramp{index}": colour for index, colour in enumerate(["#93c83d", *_VIRIDIS[5::-1], "#1d0024"])},
}
DARK: dict[str, Any] = {
    "page": "#14171b",
    "panel": "#1d2126",
    "ink": "#e7eaee",
    "muted": "#a3adb8",
    "line": "#343a42",
    "grid": "#272c33",
    "axis": "#7b8590",
    "pale": "#69727d",
    "empty": "#2f353d",
    "link": "#7cc4f2",
    "blue": "#56b4e9",
    "orange": "#f08a4b",
    "green": "#2fc59b",
    "purple": "#e29cc6",
    "yellow": "#f0c04a",
    "sky": "#a6daf8",
    "band": "rgba(86, 180, 233, 0.22)",
    "map": _scale(_YL_GN_BU),
    **{f"ramp{index}": colour for index, colour in enumerate(["#5d4a9c", *_VIRIDIS[2:], "#fff3a0"])},
}
THEMES = {"light": LIGHT, "dark": DARK}
SERIES = ("blue", "orange", "green", "purple", "yellow", "sky")
RAMP = 8  # ordered colours: ramp0 ... ramp7


def ramp(place: int, places: int) -> str:
    """The ordered colour of one of several places."""
    return f"@ramp{round(place * (RAMP - 1) / max(1, places - 1))}"


def css_variables(theme: dict[str, Any]) -> str:
    """`--ink: #1a1d21; ...` of the plain colours."""
    return " ".join(f"--{name}: {colour};" for name, colour in theme.items() if isinstance(colour, str))


def resolved(value: Any, theme: dict[str, Any]) -> Any:
    """A figure with the theme's colours in place of their names; what the page's script does, for tests and export."""
    if isinstance(value, str):
        return theme.get(value[1:], value) if value.startswith("@") else value
    if isinstance(value, dict):
        return {key: resolved(item, theme) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(item, theme) for item in value]
    return value
