"""The number that calls an ambulance: zones before language, 112 in doubt."""

from __future__ import annotations

import pytest

from webapp.domain.emergency_number import (
    BY_REGION,
    BY_ZONE,
    COMMON,
    emergency_number,
    is_number,
    read_table,
    region_of,
)


@pytest.mark.parametrize(
    ("zone", "number"),
    [
        *(("Europe/Vienna", "112"), ("Europe/London", "999"), ("Europe/Dublin", "112")),
        *(("America/New_York", "911"), ("US/Pacific", "911"), ("America/Sao_Paulo", "192")),
        *(("Pacific/Auckland", "111"), ("Australia/Sydney", "000"), ("Australia/Perth", "000")),
        *(("Asia/Tokyo", "119"), ("Asia/Shanghai", "120"), ("Asia/Calcutta", "112")),
        *(("Asia/Saigon", "115"), ("Europe/Zurich", "144"), ("Africa/Johannesburg", "10177")),
        *(("America/Argentina/Buenos_Aires", "911"), ("Europe/Kiev", "112")),
    ],
)
def test_the_zone_of_the_device_says_the_number(zone: str, number: str) -> None:
    assert emergency_number("", zone, "", "").number == number
    assert emergency_number("", "", zone, "").number == number
    assert emergency_number("", zone, zone, "de-CH").number == number


@pytest.mark.parametrize(
    ("device", "site", "language", "number"),
    [
        ("Europe/London", "America/New_York", "en-GB", "112"),
        ("Europe/London", "Asia/Hong_Kong", "en-US", "999"),
        ("UTC", "", "en-NZ", "111"),
        ("Etc/UTC", "Etc/GMT", "en_us", "911"),
        ("UTC", "Europe/Berlin", "en-US", "112"),
        ("UTC", "Australia/Perth", "en-US", "000"),
        ("", "", "zh-Hant-TW", "119"),
        ("", "", "en", "112"),
        ("", "", "", "112"),
        ("", "", "en-XX", "112"),
        ("Africa/Kampala", "Moon/Base", "", "112"),
    ],
)
def test_zones_before_language_and_112_in_doubt(
    device: str, site: str, language: str, number: str
) -> None:
    found = emergency_number("", device, site, language)
    assert (found.number, found.confirmed) == (number, False)


def test_the_common_numbers_stand_beside_one_that_nobody_has_confirmed() -> None:
    found = emergency_number("", "Europe/Vienna", "Europe/Vienna", "")
    assert found.others == ("911", "999", "119", "000", "111")
    torn = emergency_number("", "Europe/Zurich", "Asia/Shanghai", "")
    assert (torn.number, torn.others[:3]) == ("112", ("144", "120", "911"))


def test_a_confirmed_number_comes_before_everything() -> None:
    found = emergency_number("144", "America/New_York", "Europe/London", "ja-JP")
    assert (found.number, found.confirmed, found.others) == ("144", True, COMMON)


@pytest.mark.parametrize(
    "wrong", ["", "1", "1234567", "11a", "+112", "112 ", "١١٢", "112\n", "tel:112", "<b>"]
)
def test_what_is_no_number_confirms_nothing(wrong: str) -> None:
    assert not is_number(wrong)
    found = emergency_number(wrong, "Europe/London", "", "")
    assert (found.number, found.confirmed) == ("999", False)


def test_the_table_holds_only_numbers_and_each_zone_once() -> None:
    assert len(BY_REGION) > 180
    assert len(BY_ZONE) > 430
    assert all(is_number(number) for number in (*BY_REGION.values(), *BY_ZONE.values()))
    assert all(len(region) == 2 and region.isupper() for region in BY_REGION)
    assert all("/" in zone for zone in BY_ZONE)
    assert read_table("\nAA 1 X/A\n  X/B\nBB 22 Y/C\n") == (
        {"AA": "1", "BB": "22"},
        {"X/A": "1", "X/B": "1", "Y/C": "22"},
    )


def test_the_region_of_a_language() -> None:
    assert [region_of(tag) for tag in ("en-GB", "sr-Latn-RS", "de", "es-419", "")] == [
        *("GB", "RS", "", "", ""),
    ]
