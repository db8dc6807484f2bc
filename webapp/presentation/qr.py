"""QR codes. The only module that uses segno."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup

QUIET_ZONE = 4


def qr_code(address: str) -> Markup:
    """The address as SVG: black on white in every theme, because cameras need that."""
    code = segno.make(address, error="m", micro=False)
    drawn = code.svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass="qr"
    )
    return Markup(drawn)


def qr_text(address: str, encoding: str) -> str:
    """The address in half blocks for a terminal, two rows of the code in a line.

    Empty where the terminal's encoding does not have them.
    """
    out = io.StringIO()
    segno.make(address, error="l", micro=False).terminal(out, border=2, compact=True)
    drawn = out.getvalue().rstrip("\n")
    try:
        drawn.encode(encoding)
    except (UnicodeError, LookupError):
        return ""
    return drawn
