"""Codes, tries, invites and kinds of devices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain.invites import (
    LETTERS,
    MOST_WRONG,
    TRIES_A_MINUTE,
    VALID_MS,
    Invite,
    Role,
    kind_of,
    read_code,
    shown_code,
    tries_with,
)

NOW = 1_772_445_600_000


@pytest.mark.parametrize(
    "typed",
    [
        "BCDFGHJK",
        "bcdfghjk",
        "BCDF GHJK",
        " bcdf-ghjk ",
        "B C D F G H J K",
        "bcdf – ghjk",
        "bcdf.ghjk",
    ],
)
def test_a_code_is_read_however_it_is_grouped(typed: str) -> None:
    assert read_code(typed) == "BCDFGHJK"


@pytest.mark.parametrize(
    "typed",
    ["", "BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "BCDFGHJ1", "BCDFGHJÇ", "ＢCDFGHJK", "BCDF/GHJK"],
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


@given(st.text(alphabet=LETTERS, min_size=8, max_size=8))
def test_what_is_shown_is_read_back(letters: str) -> None:
    assert read_code(shown_code(letters)) == letters
    assert [len(group) for group in shown_code(letters).split()] == [4, 4]


@pytest.mark.slow
@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(typed: str) -> None:
    letters = read_code(typed)
    assert letters is None or (len(letters) == 8 and set(letters) <= set(LETTERS))


def test_an_invite_holds_for_five_minutes_to_the_millisecond() -> None:
    invite = Invite("one", Role.OPERATOR, NOW + VALID_MS)
    assert VALID_MS == 5 * 60 * 1000
    assert invite.holds(NOW + VALID_MS - 1)
    assert not invite.holds(NOW + VALID_MS)


def test_a_used_invite_holds_no_longer() -> None:
    assert not Invite("one", Role.OPERATOR, NOW + VALID_MS, used=True).holds(NOW)


def test_five_wrong_codes_burn_the_code_and_not_the_token() -> None:
    assert MOST_WRONG == 5
    assert Invite("one", Role.OWNER, NOW + VALID_MS, wrong=4).code_holds(NOW)
    burnt = Invite("one", Role.OWNER, NOW + VALID_MS, wrong=5)
    assert not burnt.code_holds(NOW)
    assert burnt.holds(NOW)


def test_twenty_tries_in_any_minute_and_no_more() -> None:
    tries: tuple[int, ...] | None = ()
    for n in range(TRIES_A_MINUTE):
        assert tries is not None
        tries = tries_with(tries, NOW + n)
    assert tries is not None
    assert TRIES_A_MINUTE == len(tries) == 20
    assert tries_with(tries, NOW + 59_999) is None
    assert tries_with(tries, NOW + 60_000) == (*tries[1:], NOW + 60_000)


def test_tries_of_a_later_time_are_forgotten() -> None:
    assert tries_with((NOW + 5,) * 20, NOW) == (NOW,)


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("Mozilla/5.0 (iPad; CPU OS 18_4 like Mac OS X) Mobile/15E148", "Tablet"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Mobile/15E148", "Phone"),
        ("Mozilla/5.0 (Linux; Android 16; Pixel 9) Chrome/156.0 Mobile Safari/537.36", "Phone"),
        ("Mozilla/5.0 (Linux; Android 16; SM-X710) Chrome/156.0 Safari/537.36", "Tablet"),
        ("Mozilla/5.0 (Android 16; Tablet; rv:150.0) Gecko Firefox/150.0", "Tablet"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0", "Computer"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari", "Computer"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", "Computer"),
        ("Mozilla/5.0 (X11; CrOS x86_64 16000.0) Chrome/156.0", "Computer"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 9.0) TV Safari", "Television"),
        ("curl/8.9", "Device"),
        ("", "Device"),
    ],
)
def test_the_kind_of_a_device_is_guessed(agent: str, kind: str) -> None:
    assert kind_of(agent) == kind


def test_each_role_may_do_what_the_ones_below_may() -> None:
    assert Role.DISPLAY < Role.OPERATOR < Role.OWNER
