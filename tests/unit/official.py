"""The official files for the tests that need them, and a place without any."""

import os
from pathlib import Path

import pytest

from tinympy import assets

FOLDER = Path(os.environ.get("TINYMPY_ASSETS", "."))

needed = pytest.mark.skipif("TINYMPY_ASSETS" not in os.environ, reason="TINYMPY_ASSETS is not set")


def hide(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """No official file is found any more, but in `cache` and in the folder that a task is given."""
    monkeypatch.delenv(assets.ENVIRONMENT, raising=False)
    monkeypatch.setattr(assets, "cache_folder", lambda: cache)
