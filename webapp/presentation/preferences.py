"""Preferences of one device: theme, sound, touch. Stored in its cookie only."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode

from webapp.domain.emergency_number import is_number
from webapp.domain.signs import kept

Theme = Literal["system", "light", "dark", "dim"]
Sound = Literal["voice", "chime", "silent"]
Rate = Literal["slow", "usual", "quick"]
Countdown = Literal["digits", "wedge"]
OnOff = Literal["on", "off"]

COOKIE = "device"
KEPT_SECONDS = 365 * 24 * 3600
MOST_COOKIE = 2000
MOST_SPEAKER = 80
ZONE = re.compile(r"[\w+/-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Preferences:
    """The settings of one device; the fields are the names in the form, the cookie and the page.

    ``loud`` sounds on a phone that is set to silent, ``headset`` takes the keys of headphones: on
    phones both stop other music. ``speaker`` is the name of a voice of this device, empty for its
    own choice. ``zone`` is its IANA time zone as script told it, ``emergency`` the emergency
    number that its person has confirmed; both are empty until then.
    """

    theme: Theme = "system"
    countdown: Countdown = "digits"
    sound: Sound = "voice"
    rate: Rate = "usual"
    vibration: OnOff = "on"
    flash: OnOff = "off"
    loud: OnOff = "off"
    headset: OnOff = "off"
    speaker: str = ""
    note: OnOff = "off"
    zone: str = ""
    emergency: str = ""

    def cookie(self) -> str:
        return urlencode(asdict(self))


CHOICES: dict[str, tuple[str, ...]] = {
    "theme": get_args(Theme),
    "countdown": get_args(Countdown),
    "sound": get_args(Sound),
    "rate": get_args(Rate),
    "vibration": get_args(OnOff),
    "flash": get_args(OnOff),
    "loud": get_args(OnOff),
    "headset": get_args(OnOff),
    "note": get_args(OnOff),
}


def preferences_of(fields: dict[str, str]) -> Preferences:
    """The settings in ``fields``; what is missing or unknown stays as it is out of the box."""
    known = {name: fields[name] for name, c in CHOICES.items() if fields.get(name) in c}
    speaker = kept(fields.get("speaker", ""), MOST_SPEAKER)
    zone = fields.get("zone", "")
    number = fields.get("emergency", "")
    return Preferences(
        **known,  # type: ignore[arg-type]
        speaker=speaker,
        zone=zone if ZONE.fullmatch(zone) else "",
        emergency=number if is_number(number) else "",
    )


def read_preferences(cookie: str) -> Preferences:
    """The settings in a cookie; a broken one counts as none."""
    return preferences_of(dict(parse_qsl(cookie[:MOST_COOKIE])))
