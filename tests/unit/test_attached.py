"""Which board a command means, by what is attached and what its firmware says."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import firmware_replies as replies
from tinympy import attached, boards, ports, transport
from tinympy.errors import BoardError, NoBoardError, UsageError
from tinympy.ports import Port

PICO = ("2e8a:0005", replies.RP2040_1_26)
ESP32 = ("10c4:ea60", replies.ESP32_1_22)
SILENT = ("1a86:7523", None)
Attach = Callable[..., None]


class Line:
    """A board at its raw REPL that gives one answer."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def exec(self, code: str, timeout_s: float = 10.0) -> str:
        return self._answer


@pytest.fixture
def attach(monkeypatch: pytest.MonkeyPatch) -> Attach:
    """Attaches boards, (USB identity, answer of the firmware; None: silent), to /dev/a, /dev/b, …."""

    def put(*devices: tuple[str, str | None]) -> None:
        names = [f"/dev/{letter}" for letter in "abcdef"[: len(devices)]]
        answers = dict(zip(names, (answer for _, answer in devices), strict=True))

        @contextlib.contextmanager
        def opened(path: str, *_: object) -> Iterator[Line]:
            answer = answers.get(path)
            if answer is None:
                raise NoBoardError(f"the board at {path} does not answer", "unplug it, plug it in, try again")
            yield Line(answer)

        found = [Port(name, usb) for name, (usb, _) in zip(names, devices, strict=True)]
        monkeypatch.setattr(ports, "present", lambda: found)
        monkeypatch.setattr(transport, "open", opened)

    return put


def test_without_anything_attached_it_is_unix(attach: Attach) -> None:
    attach()
    assert attached.choose().name == "unix"


def test_the_only_board_attached_is_it(attach: Attach) -> None:
    attach(PICO)
    board = attached.choose()
    assert (board.name, board.port, board.heap_bytes, board.mapped_block_bytes) == ("rp2040", "/dev/a", 241_456, 4096)
    assert board.launch is None


def test_bridges_without_a_board_behind_them_do_not_count(attach: Attach) -> None:
    attach(SILENT)
    assert attached.choose().name == "unix"
    attach(SILENT, PICO)
    assert attached.choose().port == "/dev/b"


def test_several_boards_are_listed(attach: Attach) -> None:
    attach(PICO, PICO)
    with pytest.raises(UsageError, match="/dev/a, /dev/b") as caught:
        attached.choose()
    assert "--port" in caught.value.hint
    assert attached.choose(port="/dev/b").port == "/dev/b"
    assert attached.choose("unix").port is None
    with pytest.raises(UsageError, match="several boards of the kind rp2040"):
        attached.choose("rp2040")


def test_a_kind_is_found_among_others(attach: Attach) -> None:
    attach(SILENT, ("2e8a:0005", replies.reply("micropython", (1, 26, 0), "Pico 2 with RP2350", 0x1E06, "rp2")), PICO)
    assert attached.choose("rp2040").port == "/dev/c"


def test_a_kind_that_is_not_attached_exits_with_3(attach: Attach) -> None:
    attach()
    with pytest.raises(NoBoardError, match=r"no rp2040 is attached$") as caught:
        attached.choose("rp2040")
    assert caught.value.exit_code == 3 and "--port" in caught.value.hint
    attach(PICO)
    with pytest.raises(NoBoardError, match=r"no rp2350 is attached: at /dev/a is Raspberry Pi Pico with RP2040"):
        attached.choose("rp2350")


def test_a_port_without_a_board_is_reported(attach: Attach) -> None:
    attach(SILENT)
    with pytest.raises(NoBoardError, match="/dev/a does not answer"):
        attached.choose(port="/dev/a")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (replies.ESP32_1_22, "older than 6.3"),
        (replies.CIRCUITPYTHON_7, "CircuitPython"),
        (replies.WITHOUT_MPY, "no .mpy files"),
    ],
)
def test_the_only_board_with_wrong_firmware_is_refused(attach: Attach, answer: str, message: str) -> None:
    attach(("f055:9802", answer))
    with pytest.raises(BoardError, match=message):
        attached.choose()


def test_what_runs_circuitpython_is_that_board_with_another_engine(attach: Attach) -> None:
    attach(("239a:80f4", replies.CIRCUITPYTHON_PICO))
    for board in (attached.choose(), attached.choose("rp2040"), attached.choose("circuitpython-emu", "/dev/a")):
        assert (board.circuitpython, board.engine, board.arch) == (True, "ulab", "armv6m")
        assert (board.heap_bytes, board.files_bytes) == (164_464, 1_028_096)
    attach(PICO)
    assert (attached.choose().circuitpython, attached.choose().engine) == (False, "native")


def test_the_wrong_board_at_the_port_is_refused(attach: Attach) -> None:
    attach(PICO)
    with pytest.raises(BoardError, match="rp2350 was asked for, but at /dev/a is rp2040"):
        attached.choose("rp2350", "/dev/a")


def test_an_emulator_started_elsewhere_is_labelled_as_named(attach: Attach) -> None:
    attach(PICO)
    board = attached.choose("rp2040-emu", "/dev/a")
    assert (board.name, board.emulated, board.port) == ("rp2040-emu", True, "/dev/a")
    assert board.patience == boards.known("rp2040-emu").patience


def test_a_board_that_is_not_listed_is_taken_as_its_firmware_says(attach: Attach) -> None:
    attach(("f055:9802", replies.UNLISTED))
    board = attached.choose()
    assert (board.name, board.arch, board.heap_bytes) == ("stm32h743zi", "armv7emdp", 200_000)


def test_psram_is_one_large_heap(attach: Attach) -> None:
    board = attached.as_board(attached.identity.parse(replies.ESP32S3_PSRAM), "COM3")
    assert (board.heap_bytes, board.largest_bytes) == (8_000_000, None)
    kind = boards.known("esp32c3")
    board = attached.as_board(
        attached.identity.parse(
            replies.reply("micropython", (1, 27, 0), "ESP32C3 module with ESP32C3", 0x2F06, "esp32", heap=50_000)
        ),
        "COM3",
    )
    assert (board.heap_bytes, board.largest_bytes) == (kind.heap_bytes, kind.largest_bytes)


def test_packages_go_where_the_firmware_looks_for_them(attach: Attach) -> None:
    attach(("f055:9800", replies.PYBOARD))
    assert attached.choose().library == "/flash/lib"


def test_every_port_is_listed_with_what_is_there_or_why_not(attach: Attach) -> None:
    attach(PICO, SILENT)
    pico, silent = attached.survey()
    assert pico.identity is not None and pico.board is not None and pico.board.name == "rp2040"
    assert silent.board is None and silent.problem.startswith("the board at /dev/b does not answer")


def labels(*arguments: Any, **options: Any) -> dict[str, str | None]:
    """The ports of the boards that are chosen, by label."""
    return {label: board.port for label, board in attached.choose_several(*arguments, **options).items()}


def test_several_are_one_board_where_nothing_says_otherwise(attach: Attach) -> None:
    attach()
    assert labels() == {"unix": None}
    assert labels(["unix:3"]) == {"unix:1": None, "unix:2": None, "unix:3": None}
    attach(PICO)
    assert labels() == labels(["rp2040"]) == {"rp2040": "/dev/a"}


def test_several_ports_are_several_boards(attach: Attach) -> None:
    attach(PICO, SILENT, PICO)
    both = {"rp2040 at /dev/c": "/dev/c", "rp2040 at /dev/a": "/dev/a"}
    assert labels([], ["/dev/c", "/dev/a"]) == labels(["rp2040"], ["/dev/c", "/dev/a"]) == both
    assert labels(["unix"], []) == {"unix": None}
    with pytest.raises(NoBoardError, match="/dev/b does not answer"):
        labels([], ["/dev/a", "/dev/b"])


def test_started_and_attached_boards_go_together(attach: Attach) -> None:
    attach(PICO)
    assert labels(["unix:2", "rp2040"]) == {"unix:1": None, "unix:2": None, "rp2040 at /dev/a": "/dev/a"}


def test_all_are_those_that_can_be_used_and_of_the_others_is_said_why_not(attach: Attach) -> None:
    attach(PICO, SILENT, PICO, ("239a:80f4", replies.CIRCUITPYTHON_7))
    left_out: list[str] = []
    assert list(labels(every=True, left_out=left_out.append).values()) == ["/dev/a", "/dev/c"]
    assert len(left_out) == 2
    assert "/dev/b does not answer" in left_out[0] and "at /dev/d: " in left_out[1] and "older than" in left_out[1]
    assert list(labels(["rp2040"], every=True)) == ["rp2040 at /dev/a", "rp2040 at /dev/c"]
    left_out.clear()
    with pytest.raises(NoBoardError, match="no board that can be used is attached"):
        labels(["rp2350"], every=True, left_out=left_out.append)
    assert "at /dev/a is Raspberry Pi Pico with RP2040" in left_out[0]


@pytest.mark.parametrize(
    ("names", "paths", "options", "message"),
    [
        ([], ["/dev/a", "/dev/a"], {}, "/dev/a is named 2 times"),
        (["rp2040", "rp2040"], [], {}, "/dev/a is named 2 times"),
        (["rp2040", "unix"], ["/dev/a"], {}, "several kinds of boards and --port"),
        ([], ["/dev/a"], {"every": True}, "--all means boards that are attached"),
        (["rp2040:2"], [], {}, "rp2040 is attached, not started"),
        (["unix:0"], [], {}, "unix:0 is no number of boards"),
        (["unix:65"], [], {}, "unix:65 is no number of boards"),
    ],
)
def test_what_cannot_be_meant_by_several_is_refused(
    attach: Attach, names: list[str], paths: list[str], options: dict[str, bool], message: str
) -> None:
    attach(PICO)
    with pytest.raises(UsageError, match=message):
        labels(names, paths, **options)


def test_options_that_do_not_go_with_the_board_are_refused(attach: Attach) -> None:
    attach()
    with pytest.raises(UsageError, match="rp2040 has firmware of its own"):
        attached.choose("rp2040", firmware="1.26.1")
    with pytest.raises(UsageError, match=r"there is no program .*1\.26\.1"):
        attached.choose("unix", firmware="1.26.1")
    for program in ("/bin/true", "/bin/cat", sys.executable):
        with pytest.raises(UsageError, match=r"is no MicroPython"):
            attached.choose("unix", firmware=program)


@pytest.mark.parametrize(
    ("vid", "pid", "kinds"),
    [
        (0x2E8A, 0x0005, {"rp2040", "rp2350", "rp2350-riscv"}),
        (0xF055, 0x9800, {"stm32", "nrf52840", "samd51", "teensy41"}),
        (0x303A, 0x4001, {"esp32s3"}),
        (0x303A, 0x1001, {"esp32s3", "esp32c3", "esp32c6"}),
        (0x10C4, 0xEA60, {"esp32", "esp32s3", "esp32c3", "esp32c6"}),
        (0x1915, 0xC00A, set()),  # a power profiler
    ],
)
def test_usb_identities_say_what_a_port_may_be(
    monkeypatch: pytest.MonkeyPatch, vid: int, pid: int, kinds: set[str]
) -> None:
    class Info:
        device, product, description = "/dev/x", "a board", ""

    Info.vid, Info.pid = vid, pid  # type: ignore[attr-defined]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [Info])
    found = ports.present()
    assert {board.name for port in found for board in port.may_be} == kinds


def test_ports_without_usb_are_not_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    class Info:
        device, product, description, vid, pid = "/dev/ttyS0", None, "ttyS0", None, None

    monkeypatch.setattr(ports.list_ports, "comports", lambda: [Info])
    assert ports.present() == []
    assert ports.at("/dev/pts/3") == Port("/dev/pts/3", "")
