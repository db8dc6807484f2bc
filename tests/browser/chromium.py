"""Finds a Chromium, or installs Debian's where we may.

Tests prefer the build without windows (chromium-headless-shell): the same engine, with a third less
work for each page. Measurements, and tests of the browser's own settings, take the whole browser.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LIGHT = ("chromium-headless-shell", "chrome-headless-shell")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
)
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HELP = (
    "No Chrome or Chromium was found, and the browser tests need one. Install it "
    "(Debian: apt-get install chromium), or name it in STEADY_HANDS_CHROMIUM."
)


def find(names: Sequence[str]) -> str | None:
    """The browser's path: as named in the environment, on the PATH, or where systems put it."""
    named = os.environ.get("STEADY_HANDS_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    on_path = next((found for name in names if (found := shutil.which(name))), None)
    return on_path or next((place for place in PLACES if Path(place).is_file()), None)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def flags() -> list[str]:
    """Command line flags; as root Chromium runs without its sandbox only."""
    return [*FLAGS, "--no-sandbox"] if is_root() else FLAGS


def install(packages: Sequence[str]) -> None:
    """Install the first that Debian has; only called as root where apt-get exists."""
    print("Chromium is missing: installing Debian's.", flush=True)
    apt_get("update", "-qq")
    for package in packages:
        if apt_get("install", "-y", "-qq", package, "fonts-dejavu-core"):
            return


def apt_get(*arguments: str) -> bool:
    """True when it was done."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", *arguments]
    done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def ensure(first: Sequence[str] = WHOLE, others: Sequence[str] = LIGHT) -> str:
    """The browser's path, after installing it where we may. Exits with a clear line otherwise."""
    names = (*first, *others)
    found = find(names)
    if found is None and is_root() and shutil.which("apt-get"):
        install((first[0], WHOLE[0]))
        found = find(names)
    if found is None:
        sys.exit(HELP)
    return found


def for_tests() -> str:
    return ensure(LIGHT, WHOLE)


def for_measurements() -> str:
    """The whole browser, even where the one without windows is there already."""
    return ensure(WHOLE, ())


if __name__ == "__main__":
    # Some settings, such as blocked cookies, count in the whole browser alone.
    print(f"Browser tests run in {for_tests()}, some in {for_measurements()}")
