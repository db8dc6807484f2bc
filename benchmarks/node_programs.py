"""Node programs, pinned by hash in ``package-lock.json``, installed once outside the repository."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

INSTALL_SECONDS = 300


class NoToolError(Exception):
    """A program cannot be had on this machine; the text says why."""


def installed(pinned: Path, name: str) -> Path:
    """The folder with ``node_modules`` of what ``pinned`` asks for. Raises NoToolError."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise NoToolError("there is no node and npm on the PATH.")
    digest = hashlib.sha256((pinned / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"steady-hands-{name}-{digest}"
    if not (folder / "node_modules").is_dir():
        install(pinned, folder)
    return folder


def install(pinned: Path, folder: Path) -> None:
    shutil.copytree(pinned, folder, dirs_exist_ok=True)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(
            command, cwd=folder, timeout=INSTALL_SECONDS, check=True, capture_output=True, text=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        said = getattr(error, "stderr", None)
        raise NoToolError(str(said or error).strip()[-400:]) from None
