"""Parts that are needed to read a figure stand out by 3 to 1 (WCAG 1.4.11), in three themes."""

from __future__ import annotations

import re
from math import cos, radians, sin
from pathlib import Path

import pytest

from tests.support.builders import shipped
from webapp.presentation.body import figure

FIGURE = (Path(__file__).parents[2] / "static/css/components/figure.css").read_text("utf-8")
SMALL = (Path(__file__).parents[2] / "static/css/components/catalogue.css").read_text("utf-8")
CSS = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
ANGLES = {m[1]: float(m[2]) for m in re.finditer(r"\.hue-(\w+) \{ --angle: (\d+); \}", CSS)}
LEAST = 3.0
PAIRS = [
    ("hue", "figure-fill"),
    ("figure-arrow", "hue"),
    ("figure-line", "figure-fill"),
    ("figure-line", "ground"),
    ("stop", "figure-fill"),
    ("hue-ink", "figure-fill"),
    ("hue-ink", "ground"),
    ("hue-ink", "figure-arrow"),
]


def luminance(lightness: float, chroma: float, angle: float) -> float:
    """Relative luminance of an oklch colour (Ottosson's matrices), cut to sRGB."""
    a, b = chroma * cos(radians(angle)), chroma * sin(radians(angle))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def value_of(name: str, theme: str, angle: float) -> float:
    """Luminance of a token in a theme."""
    dim = CSS[CSS.index(':root[data-theme="dim"]') :]
    dim_hue = CSS[CSS.index('[data-theme="dim"] :is(') :]
    if theme == "dim":
        text = dim_hue if name.startswith("hue") else dim
        found = re.search(rf"--{name}: oklch\((.*)\);", text)
        assert found, name
        parts = found[1].replace("mod(var(--angle), 200)", str(angle % 200))
        lightness, chroma, hue = re.match(
            r"(calc\(.*?\)|[\d.]+%) ([\d.]+) ([\d.]+)", parts
        ).groups()  # type: ignore[union-attr]
        if lightness.startswith("calc"):
            base, step, times = re.findall(r"[\d.]+", lightness)
            return luminance(
                (float(base) + float(step) * float(times)) / 100, float(chroma), float(hue)
            )
        return luminance(float(lightness[:-1]) / 100, float(chroma), float(hue))
    found = re.search(
        rf"--{name}: light-dark\(oklch\((.*?)\), oklch\((.*?)\)\);",
        CSS.replace("var(--angle)", str(angle)),
    )
    assert found, name
    lightness, chroma, hue = found[1 if theme == "light" else 2].split()
    return luminance(float(lightness[:-1]) / 100, float(chroma), float(hue))


@pytest.mark.parametrize("theme", ["light", "dark", "dim"])
@pytest.mark.parametrize(("over", "under"), PAIRS)
def test_each_part_of_a_figure_stands_out(theme: str, over: str, under: str) -> None:
    for hue, angle in ANGLES.items():
        one, other = (value_of(name, theme, angle) for name in (over, under))
        high, low = max(one, other), min(one, other)
        ratio = (high + 0.05) / (low + 0.05)
        assert ratio >= LEAST, f"{over} on {under}, {hue}, {theme}: {ratio:.2f}"


@pytest.mark.parametrize(
    ("sheet", "selector", "declarations"),
    [
        (FIGURE, ".figure :is(path, ellipse, circle, rect)", {"stroke-width": "5"}),
        (FIGURE, ".figure .figure-detail", {"stroke-width": "3.5"}),
        (FIGURE, ".figure .figure-arrow", {"stroke-width": "10"}),
        (FIGURE, ".figure .figure-avoid", {"stroke-width": "6", "stroke-dasharray": "14 10"}),
        (SMALL, ".figure.figure-small .figure-body", {"stroke-width": "8"}),
        (SMALL, ".figure.figure-small .figure-avoid", {"stroke-dasharray": "none"}),
    ],
)
def test_lines_are_as_wide_as_is_seen_from_two_metres(
    sheet: str, selector: str, declarations: dict[str, str]
) -> None:
    """In units of a sheet 560 high."""
    body = sheet.split(f"  {selector} {{")[1].split("}")[0]
    found = dict(re.findall(r"([a-z-]+): ([^;]+);", body))
    assert declarations.items() <= found.items()


@pytest.mark.parametrize("small", [False, True])
def test_a_point_is_as_large_as_is_seen_from_two_metres(small: bool) -> None:
    view = shipped().catalogue.views["foot-top"]
    svg = figure(view, None, "", "left", "", point=view.points["lr3"], small=small)
    ring, dot = (
        float(re.findall(rf'class="{kind}" [^>]* r="([\d.]+)"', svg)[0]) * 2
        for kind in ("figure-arrow figure-ring", "figure-dot")
    )
    assert (ring, dot) == ((54, 24) if small else (36, 16))
