"""Finds a Chromium for the browser tests, or installs Debian's where we may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
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


def find() -> str | None:
    """The browser's path: as named in the environment, on the PATH, or where systems put it."""
    named = os.environ.get("STEADY_HANDS_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    return on_path or next((place for place in PLACES if Path(place).is_file()), None)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def flags() -> list[str]:
    """Command line flags; as root Chromium runs without its sandbox only."""
    return [*FLAGS, "--no-sandbox"] if is_root() else FLAGS


def install() -> None:
    """Install Debian's Chromium; only called as root where apt-get exists."""
    print("Chromium is missing: installing Debian's.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium", "fonts-dejavu-core"]):
        subprocess.run(
            ["apt-get", *command], check=True, env=environment, stdout=subprocess.DEVNULL
        )


def ensure() -> str:
    """The browser's path, after installing it where we may. Exits with a clear line otherwise."""
    found = find()
    if found is None and is_root() and shutil.which("apt-get"):
        install()
        found = find()
    if found is None:
        sys.exit(HELP)
    return found


if __name__ == "__main__":
    print(f"Browser tests run in {ensure()}")
