"""`tinympy selftest`, and a board that computes wrongly: refused before any number is printed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tinympy import boards, cli, selftest


def test_unix_computes_what_it_should() -> None:
    command = [sys.executable, "-m", "tinympy", "selftest", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    tested = json.loads(done.stdout)["tested"]
    assert tested == {"outputs": len(selftest.vectors()), "operators": 25, "floats_in": "floating-point"}


@pytest.mark.parametrize("arguments", [["bench", "digits"], ["bench", "digits", "--in-ram"], ["selftest"], ["deploy"]])
def test_wrong_kernel_ends_everything(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    """For all that the board knows the answer is right; to us it is not."""
    known = selftest.vectors()
    monkeypatch.setattr(selftest, "vectors", lambda: (*known[:1], ("CONV_2D", (1, 2)), *known[2:]))
    where = ["--folder", str(tmp_path)] if arguments[0] == "deploy" else []
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr("sys.argv", ["tinympy", *arguments, "--board", boards.get("unix").name, *where])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 4
    assert "compute wrongly on this board: CONV_2D (output 1) of 33 outputs" in said.err
    assert "ms" not in said.out
