"""Pictures to try a search of one's own on: scikit-learn's digits and drawn shapes; nothing is downloaded.

    python examples/make_pictures.py FOLDER

writes FOLDER/photos (300 coloured JPEG files of many sizes in folders), FOLDER/scans (greyscale PNG files in folders,
some of which are there to validate) and FOLDER/wild (Parquet files as they lie on the Hub, three classes of unequal
size, and loose PNG files in new/). The same ones each time.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

PHOTOS = {"digit": 100, "disc": 100, "stripes": 100}
OF_PHOTOS_TESTED = 20  # of each class
SCANS = {"train": slice(0, 900), "val": slice(900, 1200), "test": slice(1200, 1500)}
WILD = {"circle": 250, "square": 150, "triangle": 50}
OF_WILD_TESTED = 20


def background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Soft colours with the noise of a camera."""
    coarse = rng.integers(40, 200, (3, 3, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, dtype=np.int16) + rng.integers(-12, 13, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def photo(rng: np.random.Generator, kind: str, digits: np.ndarray) -> Image.Image:
    """One thing somewhere on a background, of a size of its own."""
    width, height = rng.integers(48, 129, 2).tolist()
    picture = background(rng, width, height)
    side = int(min(width, height) * rng.uniform(0.5, 0.8))
    left, top = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
    colour = tuple(rng.integers(0, 256, 3).tolist())
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    if kind == "digit":
        strokes = digits[int(rng.integers(len(digits)))] * 16
        mask = Image.fromarray(strokes.clip(0, 255).astype(np.uint8)).resize((side, side))
    elif kind == "disc":
        draw.ellipse((0, 0, side - 1, side - 1), fill=255)
    else:
        for start in range(0, side, max(4, side // 5)):
            draw.rectangle((0, start, side, start + max(2, side // 10)), fill=255)
    picture.paste(Image.new("RGB", (side, side), colour), (left, top), mask)
    return picture


def write_photos(folder: Path, digits: np.ndarray) -> None:
    """train/<class>/ and test/<class>/."""
    rng = np.random.default_rng(1)
    for kind, count in PHOTOS.items():
        for number in range(count):
            split = "test" if number < OF_PHOTOS_TESTED else "train"
            path = folder / split / kind / f"{number:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            photo(rng, kind, digits).save(path, quality=90)


def write_scans(folder: Path, digits: np.ndarray, labels: np.ndarray) -> None:
    """train/<digit>/, val/<digit>/ and test/<digit>/, 16x16 pixels."""
    for split, part in SCANS.items():
        for number, (strokes, label) in enumerate(zip(digits[part], labels[part], strict=True)):
            path = folder / split / str(label) / f"{number:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            scan = Image.fromarray((strokes * 15).astype(np.uint8))
            scan.resize((16, 16), Image.Resampling.BICUBIC).save(path)


def drawing(rng: np.random.Generator, kind: str) -> Image.Image:
    """A dark shape on a light background; some with a transparent ground, some with a palette."""
    side = int(rng.integers(32, 65))
    colour = tuple(rng.integers(0, 100, 3).tolist())
    reach = int(rng.integers(side // 5, 2 * side // 5))
    middle = [int(each) for each in rng.integers(reach, side - reach + 1, 2)]
    mode = str(rng.choice(["RGB", "RGBA", "P"]))
    light = background(rng, side, side).point([128 + level // 2 for level in range(256)] * 3)
    picture = Image.new("RGBA", (side, side)) if mode == "RGBA" else light
    draw = ImageDraw.Draw(picture)
    if kind == "circle":
        draw.circle(middle, reach, fill=colour)
    else:
        sides = {"square": 4, "triangle": 3}[kind]
        draw.regular_polygon((*middle, reach), sides, rotation=int(rng.integers(0, 360)), fill=colour)
    return picture.quantize(64) if mode == "P" else picture


def write_wild(folder: Path) -> None:
    """data/train-*.parquet in two parts, data/test-*.parquet, and loose files in new/."""
    rng, names = np.random.default_rng(2), list(WILD)
    rows = [(label, drawing(rng, kind)) for label, kind in enumerate(names) for _ in range(WILD[kind])]
    rows = [rows[place] for place in rng.permutation(len(rows))]
    tested = [(label, drawing(rng, kind)) for label, kind in enumerate(names) for _ in range(OF_WILD_TESTED)]
    half = len(rows) // 2
    parts = {
        "train-00000-of-00002": rows[:half],
        "train-00001-of-00002": rows[half:],
        "test-00000-of-00001": tested,
    }
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    (folder / "data").mkdir(parents=True)
    for name, part in parts.items():
        images = [
            {"bytes": png(picture), "path": f"{number:04}.png"} for number, (_, picture) in enumerate(part)
        ]
        table = pa.table({"image": images, "label": [label for label, _ in part]})
        pq.write_table(table.replace_schema_metadata(metadata), folder / "data" / f"{name}.parquet")
    (folder / "new").mkdir()
    for kind in names:
        drawing(rng, kind).save(folder / "new" / f"a_{kind}.png")


def png(picture: Image.Image) -> bytes:
    """The file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def main() -> int:
    """All three."""
    if len(sys.argv) != 2 or Path(sys.argv[1]).exists():
        print("FOLDER must be named, and must not be there yet", file=sys.stderr)
        return 2
    root, digits = Path(sys.argv[1]), load_digits()
    write_photos(root / "photos", digits.images)
    write_scans(root / "scans", digits.images, digits.target)
    write_wild(root / "wild")
    return 0


if __name__ == "__main__":
    sys.exit(main())
