"""What firmware answers to identity.QUESTION.

Of RP2040, unix and the Pico with CircuitPython as the firmware printed it. Of the 1.19, the 1.22, the ESP32-S3s and
other CircuitPython, names, versions and _mpy are as users published them (MicroPython pull request 9556, issue 15119,
logs in public repositories); all the rest, and sizes and clocks of these, are made up.
"""

from __future__ import annotations


def reply(
    name: str,
    version: tuple[int, int, int],
    machine: str,
    mpy: int,
    platform: str,
    clock_hz: int = 160_000_000,
    heap: int = 200_000,
    library: str = "/lib",
    ulab: str = "",
) -> str:
    build = f"3.4.0; {name} v{'.'.join(map(str, version))}"
    return (
        repr((name, version, build, machine, mpy, platform, clock_hz, heap, library, 4096, 512, 500, ulab, True)) + "\n"
    )


RP2040_1_23 = (
    "('micropython', (1, 23, 0), '3.4.0; MicroPython v1.23.0 on 2024-06-02', 'Raspberry Pi Pico with RP2040', 4870, "
    "'rp2', 125000000, 228512, '/lib', 4096, 352, 350, '', True)\n"
)
RP2040_1_26 = (
    "('micropython', (1, 26, 1), '3.4.0; MicroPython v1.26.1 on 2025-09-11', 'Raspberry Pi Pico with RP2040', 4870, "
    "'rp2', 125000000, 241456, '/lib', 4096, 352, 350, '', True)\n"
)
UNIX = (
    "('micropython', (1, 29, 0), '3.4.0; MicroPython 9458e3a23f on 2026-07-05', 'linux [GCC 14.2.1] version', 2822, "
    "'linux', 0, 4144000, '/lib', 4096, 66053021, 57357287, '', True)\n"
)
# .mpy 6.1, 6.2
PICO_W_1_19 = reply("micropython", (1, 19, 1), "Raspberry Pi Pico W with RP2040", 4358, "rp2")
ESP32_1_22 = reply("micropython", (1, 22, 2), "Generic ESP32 module with ESP32", 10758, "esp32")
ESP32S3_1_28 = reply("micropython", (1, 28, 0), "Generic ESP32S3 module with ESP32S3", 11014, "esp32", heap=2_061_072)
ESP32S3_PSRAM = reply(
    "micropython", (1, 28, 0), "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", 11014, "esp32", heap=8_000_000
)
CIRCUITPYTHON_10 = reply("circuitpython", (10, 0, 3), "Seeed XIAO nRF52840 Sense with nRF52840", 774, "nRF52840")
CIRCUITPYTHON_PICO = (
    "('circuitpython', (10, 0, 0), '3.4.0; CircuitPython 10.0.0 on 2025-10-01', 'Raspberry Pi Pico with rp2040', 774, "
    "'RP2040', 125000000, 164464, '/lib', 512, 2008, 2004, '6.5.3-2D', False)\n"
)
CIRCUITPYTHON_7 = reply("circuitpython", (7, 3, 0), "Raspberry Pi Pico with rp2040", 517, "RP2040")
# Version 6.3 with no architecture, and no .mpy at all.
WITHOUT_NATIVE = reply("micropython", (1, 26, 0), "a board with STM32F405RG", 774, "pyboard")
WITHOUT_MPY = reply("micropython", (1, 26, 0), "a board with STM32L072", 0, "pyboard")
PYBOARD = reply(
    "micropython", (1, 26, 0), "PYBv1.1 with STM32F405RG", 0x1F06, "pyboard", 168_000_000, 93_632, "/flash/lib"
)
ESP32C3 = reply("micropython", (1, 27, 0), "ESP32C3 module with ESP32C3", 0x2F06, "esp32")
UNLISTED = reply("micropython", (1, 26, 0), "NUCLEO_H743ZI with STM32H743ZI", 0x2306, "pyboard")
