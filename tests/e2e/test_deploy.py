"""`tinympy deploy`, `dut` and `boards`, as a user runs them, on the real interpreter."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from tinympy import transport
from tinympy.boards.unix import UnixBoard
from tinympy.compiler import compile_model
from tinympy.dut import Dut

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "datasets/digits/digits_int8.tflite"
COMMAND = [sys.executable, "-m", "tinympy"]
MARK = "# tinympy:"


def tinympy(*arguments: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=os.environ | environment
    )
    assert finished.returncode == code, finished.stderr
    return finished


def deployed(*arguments: str | Path, **environment: str) -> dict:
    return json.loads(tinympy("deploy", "--board", "unix", "--json", *arguments, **environment).stdout)


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_deployed_model_runs_at_the_prompt_of_the_interpreter(tmp_path: Path) -> None:
    done = deployed("digits", "--folder", tmp_path)
    assert {file["state"] for file in done["files"]} == {"written"}
    [program] = done["programs"]
    assert (program["name"], program["weights"]) == ("digits", "heap")
    assert done["written_bytes"] == sum(file["size_bytes"] for file in done["files"]) and done["free_bytes"] > 0
    code = 'import tinympy; m = tinympy.load("digits"); print(len(m.predict([0] * 64)))'
    run = f"from micropython_unix import run_main; run_main(['micropython', '-c', {code!r}])"
    paths = os.environ | {"MICROPYPATH": str(tmp_path / "lib")}
    assert subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, env=paths).stdout == "10\n"


def test_the_second_deployment_writes_nothing(tmp_path: Path) -> None:
    deployed("--folder", tmp_path)
    before = times(tmp_path)
    done = deployed("--folder", tmp_path)
    assert {file["state"] for file in done["files"]} == {"unchanged"} and done["written_bytes"] == 0
    assert times(tmp_path) == before


def test_without_a_folder_files_are_kept_in_the_users(tmp_path: Path) -> None:
    assert deployed(XDG_DATA_HOME=str(tmp_path))["written_bytes"] > 0
    assert deployed(XDG_DATA_HOME=str(tmp_path))["written_bytes"] == 0
    assert (tmp_path / "tinympy/unix/lib/tinympy/digits.tmpy").exists()


def test_models_are_files_too(tmp_path: Path) -> None:
    done = deployed("digits", DIGITS, "--folder", tmp_path)
    assert [program["name"] for program in done["programs"]] == ["digits", "digits_int8"]
    program = (tmp_path / "lib/tinympy/digits_int8.tmpy").read_bytes()
    assert program == compile_model(DIGITS.read_bytes(), "digits_int8").program


def test_a_dry_run_writes_nothing_and_says_the_same(tmp_path: Path) -> None:
    planned = deployed("--dry-run", "--folder", tmp_path)
    assert planned["dry_run"] and [path.name for path in tmp_path.rglob("*")] == ["lib"]
    assert "would be written" in tinympy("deploy", "--board", "unix", "--dry-run", "--folder", tmp_path).stdout
    assert [file["state"] for file in deployed("--folder", tmp_path)["files"]] == [
        file["state"] for file in planned["files"]
    ]


def test_removing_leaves_what_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    for name in ("main.py", "lib/mine.py"):
        (tmp_path / name).write_text("x = 1\n")
    before = {path: path.read_text() for path in tmp_path.rglob("*.py")}
    deployed("--folder", tmp_path)
    planned = deployed("--remove", "--dry-run", "--folder", tmp_path)
    assert len(list(tmp_path.rglob("*.mpy"))) > 5
    done = deployed("--remove", "--folder", tmp_path)
    assert done["files"] == planned["files"] and {file["state"] for file in done["files"]} == {"removed"}
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "lib/tinympy").exists()
    assert "nothing of tinympy" in tinympy("deploy", "--board", "unix", "--remove", "--folder", tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "there is no task nosuch"),
        (["nosuch.tflite"], "cannot read nosuch.tflite"),
        (["digits", "--remove"], "--remove takes everything off the board"),
        (["--board", "rp2040-emu", "--folder", "x"], "rp2040-emu has files of its own"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    where = [] if "--folder" in arguments else ["--board", "unix", "--folder", str(tmp_path)]
    assert message in tinympy("deploy", *arguments, *where, code=2).stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def attached() -> Iterator[UnixBoard]:
    """An interpreter that nobody but its port knows of."""
    with UnixBoard() as board:
        yield board


def test_a_board_at_a_port_is_listed_with_what_its_firmware_says(attached: UnixBoard) -> None:
    [row] = json.loads(tinympy("boards", "--port", attached.port, "--json").stdout)["attached"]
    assert (row["port"], row["board"], row["arch"], row["mpy"]) == (attached.port, "unix", "x64", "6.3")
    assert row["implementation"] == "micropython" and row["problem"] is None
    assert 30_000_000 < row["heap_free_bytes"] < 33_554_432 and row["files_free_bytes"] > 0
    shown = tinympy("boards", "--port", attached.port).stdout
    assert attached.port in shown and "6.3" in shown


def test_a_port_that_cannot_be_opened_is_listed_with_the_reason() -> None:
    [row] = json.loads(tinympy("boards", "--port", "/dev/nosuch", "--json").stdout)["attached"]
    assert row["board"] is None
    assert row["problem"] == "cannot open /dev/nosuch: there is no such port: is it plugged in?"
    assert row["problem"] in tinympy("boards", "--port", "/dev/nosuch").stdout


def test_every_command_works_with_the_board_at_a_port(attached: UnixBoard, tmp_path: Path) -> None:
    quick = ["--port", attached.port, "--json"]
    [result] = json.loads(
        tinympy("bench", "digits", "--samples", "3", "--window", "0.05", "--out", tmp_path, *quick).stdout
    )
    assert result["board"] == "unix" and result["accuracy"]["n"] == 3
    assert json.loads(tinympy("verify", "--task", "digits", "--samples", "1", *quick).stdout)["board"] == "unix"
    done = json.loads(tinympy("deploy", "digits", *quick).stdout)
    # bench has put everything there.
    assert done["port"] == attached.port and done["written_bytes"] == 0


def test_the_wrong_board_at_the_port_is_one_sentence(attached: UnixBoard) -> None:
    refused = tinympy("deploy", "--port", attached.port, "--board", "rp2040", code=4).stderr
    assert f"rp2040 was asked for, but at {attached.port} is unix" in refused
    assert len(refused.strip().splitlines()) == 2


def test_in_ram_nothing_appears_on_the_board(attached: UnixBoard, tmp_path: Path) -> None:
    before = times(attached.root)
    arguments = ("bench", "digits", "--in-ram", "--samples", "3", "--window", "0.05", "--json", "--out", tmp_path)
    [result] = json.loads(tinympy(*arguments, "--port", attached.port).stdout)
    assert result["accuracy"]["value"] > 0.5 and result["memory"]["flash_bytes"] == 0
    assert times(attached.root) == before
    # What it left behind does not get into the way of files.
    deployed_after = json.loads(tinympy("deploy", "--port", attached.port, "--json").stdout)
    assert deployed_after["written_bytes"] > 0
    with transport.open(attached.port) as line:
        assert line.exec("import tinympy, sys; print(tinympy.__file__, sys.path)").startswith("/lib/tinympy/")


def test_in_ram_a_heap_that_is_too_small_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with UnixBoard(heap_bytes=100_000) as small:
        arguments = ("bench", "digits", "--in-ram", "--out", tmp_path, "--port", small.port)
        refused = tinympy(*arguments, code=4).stderr
    assert re.search(r"heap is too small .*: \d+ bytes of heap are needed, \d+ are free", refused)
    assert "leave --in-ram away" in refused


def test_in_ram_and_weights_in_flash_contradict_each_other() -> None:
    assert "have to be written" in tinympy("bench", "digits", "--in-ram", "--weights-in", "flash", code=2).stderr


def test_a_board_serves_commands_after_the_command_has_ended(attached: UnixBoard) -> None:
    said = tinympy("dut", "digits", "--port", attached.port).stdout
    assert f"digits is served at {attached.port}" in said
    link = serial.Serial(attached.port, timeout=5)
    link.write(b"name%")
    assert link.read_until(b"m-ready\r\n") == b"m-name-dut-[tinympy]\r\nm-ready\r\n"
    link.write(b"\x03\x03")
    link.close()
    with transport.open(attached.port) as line:
        assert line.exec("print(6 * 7)") == "42\n"


def test_a_board_serves_commands_when_it_starts_and_can_be_rescued(tmp_path: Path) -> None:
    serving = subprocess.Popen(
        [*COMMAND, "dut", "digits", "--board", "unix", "--folder", str(tmp_path), "--at-boot"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    port = re.search(r"served at (\S+):", serving.stdout.readline())
    serving.send_signal(signal.SIGINT)
    serving.communicate()
    assert port is not None and (tmp_path / "main.py").read_text().startswith(MARK)
    with UnixBoard(root=tmp_path) as board:
        link = serial.Serial(board.port, timeout=10)
        assert link.read_until(b"m-ready\r\n").endswith(b"m-init-done\r\nm-ready\r\n")
        link.close()
        with transport.open(board.port) as line:  # interrupts it
            assert line.exec("print(6 * 7)") == "42\n"
            line.start("import main")
            Dut(line).wait_ready()
    assert "as before" in tinympy("dut", "--remove-at-boot", "--board", "unix", "--folder", tmp_path).stdout
    assert not (tmp_path / "main.py").exists()


def test_a_main_of_somebody_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x = 1\n")
    where = ("--board", "unix", "--folder", tmp_path)
    refused = tinympy("dut", "--at-boot", *where, code=2).stderr
    assert "/main.py of its own, which is left as it is" in refused
    assert "nothing to remove" in tinympy("dut", "--remove-at-boot", *where).stdout
    tinympy("deploy", "--remove", *where)
    assert (tmp_path / "main.py").read_text() == "x = 1\n"
