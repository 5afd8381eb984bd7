"""temperature: each port's sensor, by modules that stand for the port's."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tinympy.device import temperature


def port(monkeypatch: pytest.MonkeyPatch, **modules: dict[str, Any]) -> None:
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


class Adc:
    CORE_TEMP = 4

    def __init__(self, channel: int) -> None:
        assert channel == self.CORE_TEMP

    def read_u16(self) -> int:
        return round(0.706 / 3.3 * 65535)


def test_computer_has_none() -> None:
    assert temperature.chip_c() is None


def test_rp2_sensor_has_27_degrees_at_the_voltage_of_the_datasheet(monkeypatch: pytest.MonkeyPatch) -> None:
    port(monkeypatch, rp2={}, machine={"ADC": Adc})
    assert temperature.chip_c() == pytest.approx(27, abs=0.05)


def test_channel_of_another_port_is_not_taken_for_that_of_rp2(monkeypatch: pytest.MonkeyPatch) -> None:
    port(monkeypatch, machine={"ADC": Adc})
    assert temperature.chip_c() is None


def test_esp32_and_its_successors(monkeypatch: pytest.MonkeyPatch) -> None:
    port(monkeypatch, esp32={"raw_temperature": lambda: 122})
    assert temperature.chip_c() == 50
    port(monkeypatch, esp32={"mcu_temperature": lambda: 41})
    assert temperature.chip_c() == 41


def test_circuitpython(monkeypatch: pytest.MonkeyPatch) -> None:
    port(monkeypatch, microcontroller={"cpu": SimpleNamespace(temperature=33.5)})
    assert temperature.chip_c() == 33.5
