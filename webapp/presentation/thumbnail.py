"""The small person beside a close-up: how the client lies or sits, and which part it shows."""

from __future__ import annotations

from textwrap import wrap

from markupsafe import escape

from webapp.domain.anatomy import WIDTH, View
from webapp.domain.pictures import Sides
from webapp.presentation.paths import short_path

LYING = (
    "M50 6C40 6 36 16 38 24C39 32 43 36 45 38V43C32 46 24 48 22 60L12 132C14 142 18 142 20 134L"
    "32 76L34 164L38 222C42 228 46 226 46 220L50 120L54 220C54 226 58 228 62 222L66 164L68 76L8"
    "0 134C82 142 86 142 88 132L78 60C76 48 68 46 55 43V38C57 36 61 32 62 24C64 16 60 6 50 6Z"
)
SEATED = (
    "M50 8C40 8 36 16 37 26L33 33L37 36C38 42 42 44 48 43L47 50C42 66 41 92 45 110L14 114C8 118"
    " 10 128 12 192L2 198V204H26L28 136L66 136C77 132 79 112 77 96C77 74 74 56 64 48L62 40C70 3"
    "4 70 8 50 8Z"
)
HAIR = "M50 6C37 6 36 20 39 28Q50 32 61 28C64 20 63 6 50 6Z"
FACE = "M45 20H46M54 20H55M46 28Q50 31 54 28"
# A table with its cradle; one with a raised back; a chair, and a table for the arms.
TABLES = {
    "behind": "M4 42H96V234H4ZM32 42C22 10 36 0 50 0S78 10 68 42",
    "front": "M4 0H96V234H4ZM4 100H96M30 6H70V38H30Z",
    "side": "M84 66V206M84 136H34V206M0 118H36M6 118V206",
}
ARM = "M58 60L44 104L8 112"
BROAD, NARROW, SMALL = 8, 6, 0.6  # characters of a line, and the size from which on it is broad
WIDE, LETTERS, BETWEEN = 100, 21, (170, 40, 0.6)


def thumbnail(
    view: View,
    sides: tuple[str, ...],
    seen: Sides,
    zoom: tuple[float, float, float],
    *,
    turned: bool,
) -> str:
    """The small person; ``turned``: the view before was from another side of the body."""
    left, top, wide = zoom
    part = wide / WIDTH
    beside = view.paired or len(sides) == 1
    x, y, size = view.thumb if beside else BETWEEN
    if not view.paired and sides == ("right",):
        x = WIDTH - x - WIDE * size
    sits = view.sitting if "side" in seen or view.pose == "side" else None
    pose = "side" if sits else view.pose
    lines = wrap(f"now {view.seen}" if turned else view.seen, NARROW if size < SMALL else BROAD)
    high, below = LETTERS / size, 212 if pose == "side" else 238
    rows = [f'x="2" y="{below + high * (i + 0.8):.0f}"' for i in range(len(lines))]
    said = "".join(
        f'<text font-size="{high:.0f}" {row}>{escape(line)}</text>'
        for row, line in zip(rows, lines, strict=True)
    )
    kind = "figure-whole figure-turned" if turned else "figure-whole"
    place = f"translate({left + x * part:.0f} {top + y * part:.0f}) scale({size * part:.3g})"
    crops = crop_of(view, sides, sits)
    return f'<g class="{kind}" transform="{place}">{person(pose)}{crops}{said}</g>'


def person(pose: str) -> str:
    """Somebody face down, face up or sitting, with what they lie or sit on."""
    body = f'<path class="figure-table" d="{short_path(TABLES[pose])}"/>'
    if pose == "side":
        arm = f'<path class="figure-arm" d="{short_path(ARM)}"/>'
        return f'{body}<path class="figure-far" d="{short_path(SEATED)}"/>{arm}'
    line = f'hair" d="{short_path(HAIR)}' if pose == "behind" else f'detail" d="{short_path(FACE)}'
    return f'{body}<path class="figure-far" d="{short_path(LYING)}"/><path class="figure-{line}"/>'


def crop_of(view: View, sides: tuple[str, ...], sits: tuple[float, ...] | None) -> str:
    """A frame round what the close-up shows; of a limb, on its side of the body."""
    x, y, wide, high = sits or view.crop
    together = view.paired or bool(sits)
    rects = ""
    for side in sides[:1] if together else sides:
        at = x if together or side == "left" else WIDE - x - wide
        frame = f'x="{at:g}" y="{y:g}" width="{wide:g}" height="{high:g}"'
        rects += f'<rect class="figure-crop" {frame} rx="6"/>'
    return rects
