"""What firmware says of itself, and how firmware that cannot run our modules is answered."""

from __future__ import annotations

import pytest

import firmware_replies as replies
from tinympy import boards, deploy, identity
from tinympy.deploy import Mpy
from tinympy.errors import BoardError
from tinympy.identity import parse, refusal, require


@pytest.mark.parametrize(
    ("answer", "firmware", "mpy", "board"),
    [
        (replies.RP2040_1_23, "MicroPython 1.23.0", Mpy("6.3", "armv6m"), "rp2040"),
        (replies.RP2040_1_26, "MicroPython 1.26.1", Mpy("6.3", "armv6m"), "rp2040"),
        (replies.UNIX, "MicroPython 1.29.0", Mpy("6.3", "x64"), "unix"),
        (replies.PICO_W_1_19, "MicroPython 1.19.1", Mpy("6.1", "armv6m"), "rp2040"),
        (replies.ESP32_1_22, "MicroPython 1.22.2", Mpy("6.2", "xtensawin"), "esp32"),
        (replies.ESP32S3_1_28, "MicroPython 1.28.0", Mpy("6.3", "xtensawin"), "esp32s3"),
        (replies.ESP32S3_PSRAM, "MicroPython 1.28.0", Mpy("6.3", "xtensawin"), "esp32s3"),
        (replies.ESP32C3, "MicroPython 1.27.0", Mpy("6.3", "rv32imc"), "esp32c3"),
        (replies.PYBOARD, "MicroPython 1.26.0", Mpy("6.3", "armv7emsp"), "stm32"),
        (replies.CIRCUITPYTHON_10, "CircuitPython 10.0.3", None, "nrf52840"),
        (replies.CIRCUITPYTHON_7, "CircuitPython 7.3.0", None, "rp2040"),
        (replies.CIRCUITPYTHON_PICO, "CircuitPython 10.0.0", None, "rp2040"),
    ],
)
def test_a_firmware_is_recognised(answer: str, firmware: str, mpy: Mpy, board: str) -> None:
    found = parse(answer)
    assert (found.firmware, found.mpy) == (firmware, mpy)
    assert found.board is not None and found.board.name == board


def test_sizes_are_in_bytes() -> None:
    found = parse(replies.RP2040_1_23)
    assert (found.files_bytes, found.files_free_bytes, found.block_bytes) == (352 * 4096, 350 * 4096, 4096)
    assert (found.clock_hz, found.heap_free_bytes, found.library) == (125_000_000, 228_512, "/lib")
    assert parse(replies.UNIX).clock_hz is None


@pytest.mark.parametrize(
    ("machine", "board"),
    [
        ("Raspberry Pi Pico 2 with RP2350", "rp2350"),
        ("Raspberry Pi Pico2 with RP2350-RISCV", "rp2350-riscv"),
        ("ESP32C6 module with ESP32C6", "esp32c6"),
        ("Generic ESP32S3 module with ESP32-S3", "esp32s3"),
        ("Generic ESP32 module with SPIRAM with ESP32", "esp32"),
        ("ESP32 module with ESP32-UNICORE", "esp32"),
        ("Teensy 4.1 with MIMXRT1062DVJ6A", "teensy41"),
        ("Feather M4 Express with SAMD51J19A", "samd51"),
        ("Generic ESP32S2 module with ESP32S2", None),
        ("MIMXRT1060_EVK with MIMXRT1062DVJ6A", None),
    ],
)
def test_kinds_of_boards_are_told_apart(machine: str, board: str | None) -> None:
    found = [each.name for each in boards.BOARDS if each.runs(machine)]
    assert found == ([] if board is None else [board])


@pytest.mark.parametrize("answer", [replies.RP2040_1_23, replies.RP2040_1_26, replies.UNIX])
def test_firmware_that_loads_our_module_is_not_refused(answer: str) -> None:
    assert refusal(parse(answer)) is None


def test_newer_arm_cores_load_the_module_for_the_oldest() -> None:
    mpy = parse(replies.PYBOARD).mpy
    assert mpy is not None and deploy.native_module(mpy).arch in ("armv7emsp", "armv6m")
    assert refusal(parse(replies.PYBOARD)) is None


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (replies.PICO_W_1_19, "1.19.1, whose .mpy version 6.1 is older than 6.3", "install MicroPython 1.23 or later"),
        (replies.ESP32_1_22, "1.22.2, whose .mpy version 6.2 is older than 6.3", "install MicroPython 1.23 or later"),
        (replies.WITHOUT_MPY, "loads no .mpy files", "install official MicroPython"),
        (replies.CIRCUITPYTHON_7, "CircuitPython 7.3.0, which is older than 8.0", "install a current CircuitPython"),
    ],
)
def test_firmware_that_cannot_is_refused_in_one_sentence(answer: str, message: str, hint: str) -> None:
    found = parse(answer)
    refused = refusal(found)
    assert isinstance(refused, BoardError) and refused.exit_code == 4
    assert message in refused.message and hint in refused.hint
    assert "\n" not in refused.message and found.machine in refused.message


@pytest.mark.parametrize(
    ("answer", "engine", "message", "hint"),
    [
        (replies.WITHOUT_NATIVE, "native", "built without native modules", "install official MicroPython"),
        (replies.CIRCUITPYTHON_PICO, "native", "CircuitPython 10.0.0, which loads no native modules", "--engine ulab"),
        (replies.CIRCUITPYTHON_PICO, "viper", "which loads no native modules", "--engine ulab"),
        (replies.CIRCUITPYTHON_10, "native", "which loads no native modules", "--engine python"),
        (replies.CIRCUITPYTHON_10, "ulab", "CircuitPython 10.0.3 without ulab", "--engine python"),
        (replies.RP2040_1_26, "ulab", "MicroPython 1.26.1 without ulab", "--engine python"),
    ],
)
def test_an_engine_that_does_not_run_there_is_refused(answer: str, engine: str, message: str, hint: str) -> None:
    refused = refusal(parse(answer), engine)
    assert refused is not None and message in refused.message and hint in refused.hint


@pytest.mark.parametrize(
    ("answer", "engine"),
    [
        (replies.RP2040_1_26, "native"),
        (replies.PICO_W_1_19, "native"),
        (replies.WITHOUT_NATIVE, "python"),
        (replies.CIRCUITPYTHON_PICO, "ulab"),
        (replies.CIRCUITPYTHON_10, "python"),
    ],
)
def test_a_board_gets_the_fastest_engine_that_runs_on_it(answer: str, engine: str) -> None:
    assert parse(answer).engine == engine


def test_whether_code_may_write_is_known() -> None:
    found = parse(replies.CIRCUITPYTHON_PICO)
    assert (found.writable, found.ulab, found.circuitpython) == (False, "6.5.3-2D", True)
    assert parse(replies.RP2040_1_26).writable


def test_an_architecture_without_a_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_built(mpy: Mpy) -> deploy.Module:
        raise BoardError(f"there is no native module for {mpy.architecture} (mpy 6.3) yet", "there are armv6m")

    monkeypatch.setattr(identity.deploy, "native_module", none_built)
    refused = refusal(parse(replies.ESP32C3), "native")
    assert refused is not None and "no native module for rv32imc" in refused.message and "armv6m" in refused.hint


def test_a_module_that_was_not_built_is_an_error() -> None:
    with pytest.raises(BoardError, match="no native module for x86 "):
        deploy.native_module(Mpy("6.3", "x86"))


def test_another_board_than_the_one_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "refusal", lambda *_: None)  # whether or not its module was built
    found = parse(replies.ESP32S3_1_28)
    with pytest.raises(BoardError, match="rp2040 was asked for, but at COM3 is esp32s3") as caught:
        require(found, boards.known("rp2040"), "COM3")
    assert "--board esp32s3" in caught.value.hint


def test_a_module_of_another_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "refusal", lambda *_: None)
    found = parse(replies.UNLISTED)
    assert found.board is None
    with pytest.raises(BoardError, match="armv6m, but the firmware at COM3") as caught:
        require(found, boards.known("rp2040"), "COM3")
    assert caught.value.hint == "leave --board away"


def test_an_emulator_may_say_that_it_is_the_board_it_emulates() -> None:
    assert require(parse(replies.RP2040_1_26), boards.known("rp2040-emu"), "a port") == Mpy("6.3", "armv6m")


@pytest.mark.parametrize("answer", ["", "Traceback", "(1, 2)", "('micropython',)", "None"])
def test_what_is_no_identity_is_an_error(answer: str) -> None:
    with pytest.raises(BoardError, match="does not say what it is"):
        parse(answer)
