"""A board that runs from its own main.py, and what is collected afterwards: MicroPython boots in a folder of its own.

The current of a run is known, emulated or written here by the pin's own edges: 27 mA in windows, 10 mA beside them.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tinympy import boards, tasks, unplugged
from tinympy.boards.unix import UnixBoard
from tinympy.metering import Metering
from tinympy.plan import Job

WATTS = 0.027 * 3.3
WINDOW_S = "0.3"
DEVICE = "lib/tinympy"


def tinympy(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tinympy", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == code, run.stderr
    if code not in (0, 6):
        assert run.stderr.count("\n") == 2 and run.stderr.startswith("error: ") and "\nhint: " in run.stderr
    return run


def stored(folder: Path) -> dict[str, Any]:
    [path] = folder.glob("*.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def errors(record: dict[str, Any]) -> list[float]:
    """Of each window's energy: by how much of the truth it is off, sorted."""
    pairs = zip(record["energy"]["windows"], record["windows"], strict=True)
    return sorted(abs(each["gross_j"] / (WATTS * window["elapsed_us"] / 1e6) - 1) for each, window in pairs)


def written(board: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (board / DEVICE / "alone.txt").read_text().splitlines()]


def recording(path: Path, high_s: list[tuple[float, float]], pin: bool) -> Path:
    """A file as the Power Profiler exports it, of a board that draws more in some spans; with the pin, if wired."""
    begin, end = high_s[0][0] - 2.0, high_s[-1][1] + 2.0
    lines = ["Timestamp(ms),Current(uA),D0-D7"]
    for at in range(int((end - begin) * 10_000)):
        now = begin + at / 10_000
        high = any(first <= now < last for first, last in high_s)
        lines.append(f"{at / 10:.1f},{27000 if high else 10000},{int(high and pin)}0000000")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board that has run, with the edges of its pin in a file beside its folder."""
    folder = tmp_path_factory.mktemp("run")
    where = ("--board", "unix", "--folder", folder / "board")
    pin = ("--trigger", folder / "edges")
    said = tinympy("unplug", "digits", *where, *pin, "--window", WINDOW_S, "--wait", "0.1").stdout
    assert "tinympy collect --board unix --folder" in said
    return folder


@pytest.fixture
def board(run: Path, tmp_path: Path) -> Path:
    """One of its own for each test, to collect from or to damage."""
    return shutil.copytree(run / "board", tmp_path / "board")


@pytest.fixture
def edges(run: Path) -> list[tuple[float, float]]:
    return spans(run / "edges")


def spans(pin: Path) -> list[tuple[float, float]]:
    """When the pin was high, s."""
    (before, _), *found = re.findall(r"([01])@(\d+)", pin.read_text())
    times = [int(at) / 1e6 for level, at in found]
    # A first window that is too short is there as well.
    assert before == "0" and len(found) >= 10 and [level for level, _ in found] == ["1", "0"] * (len(found) // 2)
    return list(zip(times[::2], times[1::2], strict=True))


def collect(board: Path, out: Path, *options: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    return tinympy("collect", "--board", "unix", "--folder", board, "--out", out, *options, code=code)


def test_a_meter_that_listens_gets_the_windows_by_the_pin(tmp_path: Path) -> None:
    where = ("--board", "unix", "--folder", tmp_path / "board", "--out", tmp_path / "out")
    tinympy("unplug", "digits", *where, "--meter", "emu:ppk2", "--window", WINDOW_S, "--wait", "0.1", "--rail", "3v3")
    record = stored(tmp_path / "out")
    energy = record["energy"]
    assert record["mode"] == "energy" and record["options"]["unplugged"] and energy["marks"] == "pin"
    assert energy["meter"]["emulated"] and energy["meter"]["rail"] == "3v3" and len(energy["windows"]) == 5
    assert energy["meter"]["only_supply"] and (tmp_path / "out" / energy["recording"]["file"]).exists()
    assert errors(record)[2] < 0.001
    assert energy["idle_w"] == pytest.approx(0.010 * 3.3, rel=0.001)
    assert sorted(window["input_index"] for window in record["windows"]) == [0, 1, 2, 3, 4]
    assert not (tmp_path / "board/main.py").exists() and not list((tmp_path / "board" / DEVICE).glob("alone.[jbt]*"))


def test_a_meter_without_a_trigger_gets_them_by_the_preamble(tmp_path: Path) -> None:
    where = ("--board", "unix", "--folder", tmp_path / "board", "--out", tmp_path / "out")
    tinympy("unplug", "digits", *where, "--meter", "emu:ppk2?trig=none", "--window", WINDOW_S, "--wait", "0.1")
    record = stored(tmp_path / "out")
    assert record["energy"]["marks"] == "preamble"
    assert errors(record)[2] < 0.005


def test_without_a_recording_there_is_latency(board: Path, tmp_path: Path) -> None:
    shown = collect(board, tmp_path / "out").stdout
    record = stored(tmp_path / "out")
    assert "ran from its own main.py" in " ".join(shown.split())
    assert record["status"] == "complete" and record["mode"] == "performance" and record["energy"] is None
    assert len({window["n"] for window in record["windows"]}) == 1
    assert "nothing" not in shown and not (board / "main.py").exists()
    assert "no run to collect" in collect(board, tmp_path / "out", code=2).stderr


def test_a_recording_is_joined_by_the_pins_edges(board: Path, tmp_path: Path, edges: list[tuple[float, float]]) -> None:
    file = recording(tmp_path / "ppk.csv", edges, pin=True)
    collect(board, tmp_path / "out", "--meter", f"file:{file}?volts=3.3", "--rail", "vsys")
    record = stored(tmp_path / "out")
    assert record["mode"] == "energy" and record["energy"]["marks"] == "pin"
    assert record["energy"]["meter"]["rail"] == "vsys" and record["energy"]["meter"]["voltage_basis"] == "assumed"
    # The file has a sample each 0.1 ms, of which an end of a window may be half a one away.
    assert errors(record)[2] < 0.001


def test_a_recording_that_does_not_fit_is_refused_and_the_board_is_left(
    board: Path, tmp_path: Path, edges: list[tuple[float, float]]
) -> None:
    longer = [(begin, end + 0.1) for begin, end in edges]
    file = recording(tmp_path / "other.csv", longer, pin=True)
    refused = collect(board, tmp_path / "out", "--meter", f"file:{file}?volts=3.3", code=5).stderr
    assert "do not fit" in refused and not (tmp_path / "out").exists()
    collect(board, tmp_path / "out")


def test_a_run_that_was_cut_off_keeps_its_complete_windows(board: Path, tmp_path: Path) -> None:
    results = board / DEVICE / "alone.txt"
    lines = results.read_text().splitlines(keepends=True)
    windows = [at for at, line in enumerate(lines) if '"counts": true' in line]
    results.write_text("".join(lines[: windows[2]]) + lines[windows[2]][:20])
    assert "cut off in window 3" in cut_off(board, tmp_path / "out")
    record = stored(tmp_path / "out")
    assert record["status"] == "failed" and len(record["windows"]) == 2 and "window 3" in record["error"]


def cut_off(board: Path, out: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "tinympy", "collect", "--board", "unix", "--folder", board, "--out", out],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 4 and run.stderr.count("\n") == 2
    return run.stderr


def test_power_that_is_lost_in_the_third_window_leaves_two(tmp_path: Path) -> None:
    board = tmp_path / "board"
    where = ("--board", "unix", "--folder", board)
    tinympy("unplug", "digits", *where, "--window", WINDOW_S, "--wait", "0.1")
    # As if it had not run: the next boot does.
    (board / DEVICE / "alone.txt").unlink()
    with UnixBoard(root=board):
        until(lambda: len([line for line in lines_of(board) if '"counts": true' in line]) == 2)
    assert "cut off in window 3" in cut_off(board, tmp_path / "out")
    assert len(stored(tmp_path / "out")["windows"]) == 2


def lines_of(board: Path) -> list[str]:
    path = board / DEVICE / "alone.txt"
    return path.read_text().splitlines() if path.exists() else []


def until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_board_that_starts_again_does_not_run_again(board: Path) -> None:
    before = written(board)
    with UnixBoard(root=board):
        time.sleep(1.0)
    assert written(board) == before


def test_what_is_not_of_the_run_is_refused(board: Path, tmp_path: Path) -> None:
    program, results = board / DEVICE / "digits.tmpy", board / DEVICE / "alone.txt"
    content, text = program.read_bytes(), results.read_text()
    program.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is not the model" in collect(board, tmp_path / "out", code=4).stderr
    program.write_bytes(content)
    results.write_text(text.replace('"run": "', '"run": "0'))
    assert "of another run" in collect(board, tmp_path / "out", code=4).stderr
    results.write_text(text.replace('"window": [', '"window": ["'))
    assert "damaged" in collect(board, tmp_path / "out", code=4).stderr
    results.unlink()
    main = board / "main.py"
    main.write_text(main.read_text().replace("0.1, pin", "60, pin"))
    assert "did not run" in collect(board, tmp_path / "out", code=4).stderr
    assert not (tmp_path / "out").exists()


def test_a_board_with_something_to_lose_is_left_as_it_is(board: Path, tmp_path: Path) -> None:
    where = ("--board", "unix", "--folder", board)
    assert "not collected yet" in tinympy("unplug", "digits", *where, code=2).stderr
    assert "`tinympy unplug`" in tinympy("dut", "--at-boot", *where, code=2).stderr
    assert "nothing to remove" in tinympy("dut", "--remove-at-boot", *where).stdout
    collect(board, tmp_path / "out")
    (board / "main.py").write_text("print('mine')\n")
    assert "of its own" in tinympy("unplug", "digits", *where, code=2).stderr
    assert (board / "main.py").read_text() == "print('mine')\n"


def test_a_run_is_given_up_with_everything_else(board: Path, tmp_path: Path) -> None:
    tinympy("deploy", "--remove", "--board", "unix", "--folder", board)
    assert [path.name for path in board.rglob("*")] == ["lib"]
    assert "no run to collect" in collect(board, tmp_path / "out", code=2).stderr


def test_a_model_that_does_not_load_says_so(tmp_path: Path) -> None:
    board = tmp_path / "board"
    tinympy("unplug", "digits", "--board", "unix", "--folder", board, "--window", WINDOW_S, "--wait", "0.1")
    results, program = board / DEVICE / "alone.txt", board / DEVICE / "digits.tmpy"
    results.unlink()
    content = program.read_bytes()
    program.write_bytes(content[:100])
    with UnixBoard(root=board):
        until(lambda: bool(lines_of(board)))
    program.write_bytes(content)
    assert "the board raised" in collect(board, tmp_path / "out", code=4).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unplug", "digits", "--board", "unix", "--meter", "file:run.csv"], "when the run is over"),
        (["unplug", "digits", "--board", "unix", "--rail", "3v3"], "--rail is for a meter"),
        (["unplug", "digits", "--board", "unix", "--window", "0"], "a window of 0 s"),
        (["collect", "--board", "unix", "--meter", "emu:ppk2"], "no recording of what is over"),
        (["collect", "--board", "unix", "--rail", "3v3"], "--rail is for a recording"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    assert message in tinympy(*arguments, "--folder", tmp_path, code=2).stderr


def test_an_attached_board_is_unplugged_powered_and_plugged_in_again(tmp_path: Path) -> None:
    """What the user does, done by the test: two boots of the same flash, the second one without a line."""
    did: list[str] = []
    running = [UnixBoard(root=tmp_path / "board")]

    def ask(what: str) -> None:
        did.append(what.split()[0])
        running.pop().stop()
        if what.startswith("disconnect"):
            running.append(UnixBoard(root=tmp_path / "board"))

    def tell(what: str) -> None:
        did.append(what.split()[0])
        running.append(UnixBoard(root=tmp_path / "board"))

    try:
        meter = Metering("emu:ppk2")
        board = replace(boards.get("unix"), port=running[0].port)
        job = Job(board, tasks.get("digits"), "native", ("performance",), 5, 0.3, tmp_path, metering=meter)
        recording = unplugged.listen(job, 0.1, lambda *_: None, ask, tell)
        assert did == ["unplug", "power", "disconnect"]
        record = unplugged.collect(replace(board, port=running[0].port), recording, tmp_path / "out")
    finally:
        for each in running:
            each.stop()
    assert record.status == "complete" and record.energy is not None and record.energy.marks == "pin"
    assert errors(stored(tmp_path / "out"))[2] < 0.001


def test_the_commands_of_the_document_are_real(tmp_path: Path) -> None:
    """In their order, with the board `unix` in place of the port, and what it draws in place of a wire."""
    text = (Path(__file__).parents[2] / "docs/energy.md").read_text()
    section = text[text.index("## With USB unplugged") :]
    commands = re.findall(r"^    tinympy (.*)$", section[: section.index("\n## ")], re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["unplug", "collect", "unplug", "unplug"]
    file, flash = tmp_path / "run.csv", tmp_path / "edges"
    for command in commands:
        arguments = [
            {"/dev/ttyACM0": "unix", "--port": "--board", "15": str(flash)}.get(word, word)
            for word in shlex.split(command)
        ]
        arguments = [re.sub(r"^ppk2:.*", "emu:ppk2", word).replace("run.csv", str(file)) for word in arguments]
        if arguments[0] == "unplug":
            arguments += ["--window", WINDOW_S, "--wait", "0.1"]
        else:
            recording(file, spans(flash), pin=True)
        tinympy(*arguments, "--folder", tmp_path / "board", "--out", tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*.json"))) == 3
