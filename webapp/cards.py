"""The QR code of a client's card. Alone in knowing segno."""

from __future__ import annotations

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
