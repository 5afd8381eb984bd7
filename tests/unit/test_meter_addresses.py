"""Addresses of meters, their options, and which meters are attached."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from tinympy.energy import emulated, options
from tinympy.energy.meters import address, attached, attached_meters, open_meter
from tinympy.errors import MeterError, UsageError


@dataclass(frozen=True)
class Sample:
    mode: str = "a"
    v: float | None = None
    n: int = 0
    on: bool = False


def test_parts_of_an_address() -> None:
    parsed = address.parse("ppk2:/dev/ttyACM1?mode=source&v=3.3&x=a%26b")
    assert (parsed.kind, parsed.place) == ("ppk2", "/dev/ttyACM1")
    assert parsed.options == {"mode": "source", "v": "3.3", "x": "a&b"}
    assert address.parse("otii:127.0.0.1:1905").place == "127.0.0.1:1905"
    assert address.parse("ppk2?v=3").place == ""


@pytest.mark.parametrize("text", ["ppk2?v", "ppk2?=3", "ppk2?v=1&v=2"])
def test_an_option_without_a_value_or_twice_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        address.parse(text)


def test_options_become_what_they_are() -> None:
    assert options.parse(Sample, {"v": "3.3", "n": "4", "on": "yes"}, "it") == Sample(v=3.3, n=4, on=True)


@pytest.mark.parametrize("given", [{"v": "three"}, {"n": "1.5"}, {"on": "perhaps"}, {"other": "1"}])
def test_options_that_are_none_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        options.parse(Sample, given, "it")


def test_kinds_and_options_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        open_meter("ppk3:/dev/ttyACM0")
    assert {"ppk2", "lpm01a", "joulescope", "otii", "ina", "emu:ppk2"} <= set(
        caught.value.hint.removeprefix("kinds of meters: ").split(", ")
    )
    with pytest.raises(UsageError) as caught:
        open_meter("ppk2:/dev/ttyACM0?volt=3")
    assert caught.value.hint == "options of it: mode, v, voltage, v_limit, trig, settle"
    with pytest.raises(UsageError) as caught:
        open_meter("emu:ppk2?volt=3")
    assert "lost" in caught.value.hint and "settle" in caught.value.hint and "active" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        open_meter("emu:none")
    assert caught.value.hint == f"emulated meters: {', '.join(emulated.KINDS)}"


@pytest.mark.parametrize(
    "query",
    ["", "v=3.3&voltage=3.0", "mode=volt&v=3", "v=9", "v=0.5", "v=3&trig=8", "v=3&trig=D0", "v=3&settle=-1"],
)
def test_what_a_ppk2_cannot_do_is_refused_before_it_is_opened(query: str) -> None:
    with pytest.raises(UsageError):
        open_meter(f"ppk2:/dev/none?{query}")


@pytest.mark.parametrize("query", ["fault=fire", "fault=unplug:soon", "v=9", "lost=much"])
def test_what_an_emulated_ppk2_cannot_do_is_refused_before_it_runs(query: str) -> None:
    with pytest.raises(UsageError):
        open_meter(f"emu:ppk2?{query}")


def test_triggers() -> None:
    assert open_meter("ppk2:/dev/none?v=3&trig=5").trigger == 5
    assert open_meter("ppk2:/dev/none?v=3&trig=none").trigger is None
    assert open_meter("emu:ppk2").trigger == 0


def test_a_port_that_does_not_exist_is_a_meter_error() -> None:
    with pytest.raises(MeterError, match="cannot open /dev/none"), open_meter("ppk2:/dev/none?v=3"):
        pass


def port(device: str, vid: int | None, pid: int | None, serial: str | None, product: str, location: str = "") -> object:
    return SimpleNamespace(
        device=device, vid=vid, pid=pid, serial_number=serial, product=product, description=product, location=location
    )


PORTS = [
    port("/dev/ttyACM2", 0x1915, 0xC00A, "A", "PPK2", "1-2:1.3"),
    port("/dev/ttyACM3", 0x1915, 0xC00A, "A", "PPK2", "1-2:1.1"),
    port("/dev/ttyACM1", 0x1915, 0xC00A, "B", "PPK2", "1-3:1.1"),
    port("/dev/ttyACM0", 0x0483, 0x5740, "C", "PowerShield (Virtual ComPort in FS Mode)"),
    port("/dev/ttyACM4", 0x0483, 0x5740, "D", "STM32 Virtual ComPort"),
    port("/dev/ttyS0", None, None, None, ""),
    port("/dev/ttyACM5", 0x2E8A, 0x0005, "E", "Board in FS mode"),
]


def test_meters_that_are_attached() -> None:
    found = attached_meters(PORTS)
    assert [(each.address, each.serial, each.certain) for each in found] == [
        ("lpm01a:/dev/ttyACM0", "C", True),
        ("ppk2:/dev/ttyACM1", "B", True),
        ("ppk2:/dev/ttyACM3", "A", True),  # of its two ports the one that measures
        ("lpm01a:/dev/ttyACM4", "D", False),
    ]


def test_the_only_one_needs_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached.list_ports, "comports", lambda: PORTS)
    assert attached.only("lpm01a") == "/dev/ttyACM0"
    with pytest.raises(MeterError, match="several meters may be a ppk2: /dev/ttyACM1, /dev/ttyACM3"):
        open_meter("ppk2?v=3")
    monkeypatch.setattr(attached.list_ports, "comports", list)
    with pytest.raises(MeterError, match="no ppk2 is attached"):
        open_meter("ppk2?v=3")
