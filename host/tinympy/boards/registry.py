"""The boards tinympy knows. docs/boards.md says where the figures come from, docs/adding-a-board.md how to add one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .board import Board, Launched

# Bridges between USB and a serial line; what is behind them they do not say.
BRIDGES = {
    "10c4:ea60": "CP210x",
    "1a86:7523": "CH340",
    "1a86:55d3": "CH343",
    "1a86:55d4": "CH9102",
    "0403:6001": "FT232",
    "0403:6010": "FT2232",
    "0403:6015": "FT-X",
}
# What MicroPython's ports use where a board has no identity of its own (MICROPY_HW_USB_VID and PID).
_MICROPYTHON = "f055:98*"
_ADAFRUIT = "239a:*"
_ARDUINO = "2341:*"
_SPARKFUN = "1b4f:*"
_RASPBERRY_PI = ("2e8a:0005", "2e8a:10*", "2e8a:11*", "16d0:08c7", _ADAFRUIT, _ARDUINO, _SPARKFUN)
_ESPRESSIF = ("303a:1001", *BRIDGES)
_ESPRESSIF_OTG = ("303a:40*", "303a:8*", _ADAFRUIT, _ARDUINO)


def _launch_unix(board: Board, files: Mapping[str, bytes]) -> Launched:
    from .unix import UnixBoard

    # Its folder is empty or kept: copying files to it takes no time.
    return UnixBoard(root=board.root, interpreter=board.firmware)


def _find_interpreter(wanted: str | None) -> Path | None:
    from .unix import find_interpreter

    return find_interpreter(wanted)


def _launch_rp2040_emu(board: Board, files: Mapping[str, bytes]) -> Launched:
    from .rp2040_emu import Rp2040Emulator

    assert board.firmware is not None
    return Rp2040Emulator(board.firmware, files, board.circuitpython)


def _find_micropython(wanted: str | None) -> Path:
    from ..firmware import find

    return find(wanted)


def _find_circuitpython(wanted: str | None) -> Path:
    from ..firmware import find

    return find(wanted, circuitpython=True)


_KIB = 1024
_MIB = 1024 * 1024

BOARDS = (
    Board(
        "unix",
        "MicroPython's Unix port on this computer",
        arch="x64",
        heap_bytes=33_162_944,
        machine=r"^\w+ \[.*\] version$",
        launch=_launch_unix,
        find_firmware=_find_interpreter,
        keeps_files=True,
    ),
    Board(
        "rp2040-emu",
        "Raspberry Pi Pico, emulated",
        arch="armv6m",
        emulated=True,
        clock_hz=125_000_000,
        heap_bytes=228_496,
        files_bytes=1408 * _KIB,
        mapped_block_bytes=4 * _KIB,
        launch=_launch_rp2040_emu,
        find_firmware=_find_micropython,
        patience=40.0,
    ),
    Board(
        "circuitpython-emu",
        "Pico with CircuitPython, emulated",
        arch="armv6m",
        circuitpython=True,
        engine="ulab",
        emulated=True,
        clock_hz=125_000_000,
        heap_bytes=164_464,
        files_bytes=1004 * _KIB,
        mapped_block_bytes=4 * _KIB,
        launch=_launch_rp2040_emu,
        find_firmware=_find_circuitpython,
        patience=40.0,
    ),
    Board(
        "rp2040",
        "Raspberry Pi Pico",
        arch="armv6m",
        mark_pin=15,
        clock_hz=125_000_000,
        heap_bytes=241_456,
        files_bytes=1408 * _KIB,
        mapped_block_bytes=4 * _KIB,
        usb=_RASPBERRY_PI,
        machine=r" with RP2040$",
    ),
    Board(
        "rp2350",
        "Raspberry Pi Pico 2, Arm cores",
        arch="armv7emsp",
        mark_pin=15,
        clock_hz=150_000_000,
        heap_bytes=493_600,
        files_bytes=3 * _MIB,
        mapped_block_bytes=4 * _KIB,
        usb=_RASPBERRY_PI,
        machine=r" with RP2350[AB]?$",
    ),
    Board(
        "rp2350-riscv",
        "Raspberry Pi Pico 2, RISC-V cores",
        arch="rv32imc",
        mark_pin=15,
        clock_hz=150_000_000,
        heap_bytes=493_600,
        files_bytes=3 * _MIB,
        mapped_block_bytes=4 * _KIB,
        usb=_RASPBERRY_PI,
        machine=r" with RP2350[AB]?-RISCV$",
    ),
    Board(
        "esp32",
        "ESP32 without PSRAM",
        arch="xtensawin",
        mark_pin=27,
        clock_hz=160_000_000,
        heap_bytes=164_640,
        largest_bytes=110_592,
        files_bytes=2 * _MIB,
        usb=tuple(BRIDGES),
        machine=r" with ESP32(-D2WD|-UNICORE|-PICO.*)?$",
    ),
    Board(
        "esp32s3",
        "ESP32-S3 without PSRAM",
        arch="xtensawin",
        mark_pin=5,
        clock_hz=160_000_000,
        heap_bytes=250_784,
        largest_bytes=188_352,
        files_bytes=6 * _MIB,
        usb=(*_ESPRESSIF, *_ESPRESSIF_OTG),
        machine=r" with ESP32-?S3",
    ),
    Board(
        "esp32c3",
        "ESP32-C3",
        arch="rv32imc",
        mark_pin=10,
        clock_hz=160_000_000,
        heap_bytes=191_872,
        largest_bytes=139_264,
        files_bytes=2 * _MIB,
        usb=_ESPRESSIF,
        machine=r" with ESP32-?C3",
    ),
    Board(
        "esp32c6",
        "ESP32-C6",
        arch="rv32imc",
        mark_pin=18,
        clock_hz=160_000_000,
        heap_bytes=191_872,
        largest_bytes=139_264,
        files_bytes=2 * _MIB,
        usb=_ESPRESSIF,
        machine=r" with ESP32-?C6",
    ),
    Board(
        "stm32",
        "Pyboard v1.1 (STM32F405)",
        arch="armv7emsp",
        clock_hz=168_000_000,
        heap_bytes=93_632,
        files_bytes=112 * _KIB,
        usb=(_MICROPYTHON,),
        machine=r" with STM32F4",
    ),
    Board(
        "nrf52840",
        "nRF52840 boards (Arduino Nano 33 BLE)",
        arch="armv7emsp",
        clock_hz=64_000_000,
        heap_bytes=219_000,
        files_bytes=64 * _KIB,
        usb=(_MICROPYTHON, _ARDUINO, "2886:0045"),
        machine=r" with nRF52840",
    ),
    Board(
        "samd51",
        "SAMD51 boards (Adafruit Feather M4 Express)",
        arch="armv7emsp",
        clock_hz=120_000_000,
        heap_bytes=161_400,
        files_bytes=2 * _MIB,
        usb=(_MICROPYTHON, _ADAFRUIT),
        machine=r" with SAMD51",
    ),
    Board(
        "teensy41",
        "Teensy 4.1",
        arch="armv7emdp",
        mark_pin="D2",
        clock_hz=600_000_000,
        heap_bytes=764_000,
        files_bytes=7 * _MIB - 4 * _KIB,
        usb=(_MICROPYTHON,),
        machine=r"^Teensy 4\.[01] with ",
    ),
)
