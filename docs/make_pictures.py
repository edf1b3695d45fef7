"""The two pictures of README.md, from a real run of the quickstart: `make pictures` (Chromium; two minutes).

`pictures/live_display.png` is a frame of the live display, taken from a terminal of 110 columns while the search ran;
`pictures/report.png` is the first screen of the report that the search wrote. With `--keep DIR` its results stay, with
what it printed in `DIR/printed.txt` and what stood on its terminal in `DIR/terminal.txt`, for the pages that show it.
"""

from __future__ import annotations

import argparse
import fcntl
import html
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from PIL import Image, ImageChops
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SPACE = "search_spaces/digits_quickstart.yaml"
COLUMNS, LINES = 110, 40
REPORT_SIZE = (1280, 900)  # pixels: the first screen of a laptop
COLOURS = 128  # of a PNG's palette: a third of the bytes, and no difference that an eye sees
_FRAME = re.compile(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.DOTALL)  # drawn as a whole
_CURSOR = re.compile(r"\x1b\[\?25[lh]|\x1b\[[0-9;]*[A-HJKf]|\r")
_TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff }}
pre {{ margin: 0; padding: 14px 18px; display: inline-block; background: #1b1f27; color: #d8dee9;
      font: 14px/1.35 "DejaVu Sans Mono", monospace; border-radius: 8px }}
</style><pre>{text}</pre>"""


def main() -> None:
    """Runs the search and draws both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=Path,
        help="the search runs in DIR and its results stay there; what an earlier call left is only drawn",
    )
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("Chromium must be installed (apt-get install chromium), but none was found")
    with tempfile.TemporaryDirectory() as folder:
        where = options.keep or Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        if not (where / "terminal.txt").exists():
            seen, printed = run_in_terminal(
                [sys.executable, str(ROOT / "run_search.py"), str(ROOT / SPACE)], where
            )
            (where / "printed.txt").write_text(printed, encoding="utf-8")
            (where / "terminal.txt").write_text(seen, encoding="utf-8")
        seen = (where / "terminal.txt").read_text(encoding="utf-8")
        PICTURES.mkdir(exist_ok=True)
        page = Path(folder) / "display.html"
        page.write_text(terminal_page(fullest_frame(seen)), encoding="utf-8")
        draw(chromium, page, PICTURES / "live_display.png", (1100, 900), is_cropped=True)
        draw(
            chromium,
            where / "results" / "digits_quickstart" / "report.html",
            PICTURES / "report.png",
            REPORT_SIZE,
        )


def run_in_terminal(command: list[str], folder: Path) -> tuple[str, str]:
    """What a command writes on its terminal of COLUMNS x LINES (stderr), and what it prints (stdout)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    seen = bytearray()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"TERM": "xterm-256color"},
            stdin=theirs,
            stdout=printed,
            stderr=theirs,
        )
        os.close(theirs)
        while chunk := _read(ours):
            seen += chunk
        if process.wait() != 0:
            sys.exit(
                f"the search must end with status 0, but ended with {process.returncode}: {seen.decode()[-2000:]}"
            )
        printed.seek(0)
        return seen.decode("utf-8", "replace"), printed.read().decode("utf-8")


def _read(terminal: int) -> bytes:
    """What there is to read; nothing once the other side is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def fullest_frame(seen: str) -> str:
    """Of all frames of the display the last with the most lines; colours as they came."""
    frames = [_CURSOR.sub("", frame).strip("\n") for frame in _FRAME.findall(seen)]
    if not frames:
        sys.exit("the search must draw its display anew at least once, but it did not")
    with_verdict = [frame for frame in frames if "verdict so far" in frame]
    return max(reversed(with_verdict or frames), key=lambda frame: frame.count("\n"))


def terminal_page(frame: str) -> str:
    """A frame as a page of HTML, in the colours of the terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="256")
    console.print(Text.from_ansi(frame), no_wrap=True)
    text = console.export_html(inline_styles=True, code_format="{code}", theme=SVG_EXPORT_THEME)
    return _TERMINAL.format(text=text.rstrip() or html.escape(frame))


def draw(
    chromium: str, page: Path, picture: Path, size: tuple[int, int], *, is_cropped: bool = False
) -> None:
    """A screenshot of a page, in COLOURS colours; `is_cropped` cuts what is white below and on the right."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
        ]
        options += [f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}"]
        options += ["--virtual-time-budget=8000", f"--screenshot={shot}", page.resolve().as_uri()]
        subprocess.run([chromium, *options], check=True, capture_output=True, timeout=180)
        image = Image.open(shot).convert("RGB")
    if is_cropped:
        edge = Image.new("RGB", image.size, (255, 255, 255))
        image = image.crop(ImageChops.difference(image, edge).getbbox())
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)
    print(
        f"{picture.relative_to(ROOT)}: {image.width} x {image.height}, {picture.stat().st_size / 1e3:.0f} kB"
    )


if __name__ == "__main__":
    main()
