"""docs/submission.md says what is so: its options exist, its fields are known, its snippet does what it is for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from serial.tools import list_ports
from typer.testing import CliRunner

from tinympy import runner
from tinympy.cli import app
from tinympy.submission.system import KEYS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "submission.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["dut", "submit", "bench"])
def test_its_options_exist(command: str) -> None:
    shown = re.findall(rf"^    tinympy {command} (.*(?:\\\n.*)?)$", DOCUMENT, re.MULTILINE)
    options = {option for arguments in shown for option in re.findall(r"--[a-z-]+", arguments)}
    assert options
    help_ = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert options <= set(re.findall(r"--[a-z-]+", help_))


def test_its_fields_are_those_of_the_template() -> None:
    [example] = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert set(json.loads(example)) <= set(KEYS)


def test_its_snippet_is_found_by_what_devices_yaml_says(monkeypatch: pytest.MonkeyPatch) -> None:
    [snippet] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    monkeypatch.setenv("PSEUDO", "/dev/pts/9")
    monkeypatch.setattr(list_ports, "comports", None)
    exec(snippet, {})
    [port] = list_ports.comports(True)
    assert port.device == "/dev/pts/9"
    assert f"usb: {{0x{port.vid:04X}: [0x{port.pid:04X}]}}" in runner.devices_yaml(port.device, "")
