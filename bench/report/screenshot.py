"""A picture of a report, through the machine's own headless Chromium."""
from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.errors import SetupError

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage")


def browser() -> str:
    """Return the path of Chromium; raises SetupError when none is installed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise SetupError("chromium: not found; pictures of reports need it: apt install chromium")
    return found


def picture(page: Path, png: Path, *, width: int = 1280, height: int = 1600, dark: bool = False, anchor: str = "",
            timeout_s: float = 60) -> Path:
    """Draw `page` from its top (or from `anchor`, an id on it) as `png`, `width` by `height` pixels, and return it."""
    with tempfile.TemporaryDirectory(prefix="picture-") as profile:
        command = [browser(), *QUIET, f"--user-data-dir={profile}", f"--window-size={width},{height}",
                   f"--screenshot={png.absolute()}", *(["--force-dark-mode"] if dark else []),
                   page.absolute().as_uri() + (f"#{anchor}" if anchor else "")]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise SetupError(f"{command[0]}: gave no picture of {page} in {timeout_s:.0f} s") from None
    if done.returncode or not png.exists():
        raise SetupError(f"{command[0]}: gave no picture of {page}: {done.stderr.strip()[-300:]}")
    return png
