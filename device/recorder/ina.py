"""Records an INA219, INA226 or INA228 on a MicroPython board of its own, for the computer at the other end of its line.

`prepare` looks whether the chip is there, sets it up and prints a header; `record` prints lines until it reads a byte:

    # ina226 shunt=0.1 lsb=2.5e-05 volts=0.00125 full=32767 round=920 ticks=1073741824
    t_us,i_raw,v_raw,trig               INA219 and INA226: every reading, and the trigger input beside it
    t_us,energy_raw,v_raw,trig,over     INA228: its accumulator, at both edges of the trigger and every period_ms
    # end

lsb is A, volts V for one count; full is the count at which the current ends; a round of conversions takes `round` us,
and a reading is of the last one that has ended. t_us is time.ticks_us, which wraps at
`ticks`. energy_raw counts 16 * 3.2 * lsb joules and wraps at 2**40; over is 1 when the shunt's range was exceeded since
the line before. Registers are those of TI's data sheets SBOS448 (INA219), SBOS547 (INA226) and SBOSA20 (INA228).
"""

import gc
import select
import sys
import time

from machine import I2C, Pin

# INA219: ranges of the shunt's voltage in mV, by the bits that choose them.
_GAINS = {40: 0, 80: 1, 160: 2, 320: 3}
# Both voltages again and again: 12 bits, 0.53 ms each; bus range 16 V.
_INA219 = 0x3 << 7 | 0x3 << 3 | 0x7
_INA219_RESET = 0x399F
# The same with 0.33 ms for the bus voltage and 0.59 ms for the shunt's.
_INA226 = 0x4000 | 0x2 << 6 | 0x3 << 3 | 0x7
# 0.15 ms each: what the accumulator lacks of an edge is at most one round of both.
_INA228 = 0xB << 12 | 0x2 << 9 | 0x2 << 6
# With this calibration a count of the current is one of the shunt's voltage, in both ranges.
_INA228_CALIBRATION = 4096
_RESET = 0x8000
_TI = 0x5449
# Latched alerts, and the one for a shunt voltage above its limit.
_LATCH, _OVER = 0x8000, 0x40
_NEAR_THE_END = 0x7FF0
_LINES_BETWEEN_LOOKS = 16


class _Chip:
    def __init__(self, i2c, address):
        self._i2c, self._address = i2c, address
        self._buffers = [bytearray(size) for size in range(6)]

    def write(self, register, value):
        self._i2c.writeto_mem(self._address, register, bytes((value >> 8, value & 0xFF)))

    def read(self, register, size=2):
        buffer = self._buffers[size]
        self._i2c.readfrom_mem_into(self._address, register, buffer)
        return int.from_bytes(buffer, "big")

    def reset(self):
        self.write(0, _RESET)
        time.sleep_ms(2)

    def require(self, register, wanted, mask=0xFFFF):
        found = self.read(register)
        if found & mask != wanted:
            raise ValueError("another chip is there: register %d is %04x" % (register, found))


def prepare(kind, shunt, range_mv=None, bus=0, sda=None, scl=None, address=0x40, trigger=None):
    """Print the header, and return what `record` takes.

    shunt -- ohm; range_mv -- of the shunt's voltage, None: the smallest; trigger -- its pin, None: not connected

    Raises:
        OSError: no chip answers there. ValueError: it is another one, or has no such range.
    """
    i2c = I2C(bus) if sda is None else I2C(bus, sda=Pin(sda), scl=Pin(scl), freq=400000)
    chip = _Chip(i2c, address)
    line = None if trigger is None else Pin(trigger, Pin.IN)
    chip.reset()
    if kind == "ina219":
        chip.require(0, _INA219_RESET)
        range_mv = range_mv or 40
        chip.write(0, _GAINS[range_mv] << 11 | _INA219)
        step_v, volts, full, round_us = 10e-6, 4e-3, range_mv * 100, 1064
    elif kind == "ina226":
        chip.require(0xFE, _TI)
        chip.require(0xFF, 0x2260, 0xFFF0)
        chip.write(0, _INA226)
        step_v, volts, full, round_us = 2.5e-6, 1.25e-3, 32767, 920
    else:
        chip.require(0x3E, _TI)
        chip.require(0x3F, 0x2280, 0xFFF0)
        small = (range_mv or 40) == 40
        chip.write(0, 1 << 4 if small else 0)
        chip.write(1, _INA228)
        chip.write(2, _INA228_CALIBRATION)
        chip.write(0x0C, _NEAR_THE_END)
        chip.write(0x0B, _LATCH)
        step_v, volts, full, round_us = 78.125e-9 if small else 312.5e-9, 195.3125e-6, 524287, 300
    ticks = time.ticks_add(0, -1) + 1
    print("# %s shunt=%.7g lsb=%.7g volts=%.7g" % (kind, shunt, step_v / shunt, volts), end=" ")
    print("full=%d round=%d ticks=%d" % (full, round_us, ticks))
    return kind, chip, line


def record(prepared, period_ms=100):
    """Print lines until a byte comes in."""
    kind, chip, trigger = prepared
    asked = select.poll()
    asked.register(sys.stdin, select.POLLIN)
    gc.collect()
    if kind == "ina228":
        _integrated(chip, trigger, period_ms * 1000, asked)
    else:
        _streamed(chip, trigger, 3 if kind == "ina219" else 0, asked)
    sys.stdin.read(1)
    print("# end")


def _streamed(chip, trigger, shift, asked):
    read, ticks_us = chip.read, time.ticks_us
    while not asked.poll(0):
        for _ in range(_LINES_BETWEEN_LOOKS):
            at = ticks_us()
            high = trigger.value() if trigger else 0
            i = (read(1) ^ 0x8000) - 0x8000
            print("%d,%d,%d,%d" % (at, i, read(2) >> shift, high))


def _integrated(chip, trigger, period_us, asked):
    read, ticks_us, ticks_diff = chip.read, time.ticks_us, time.ticks_diff
    high = trigger.value() if trigger else 0
    ended = False
    while True:
        at = ticks_us()
        energy = read(0x09, 5)
        over = read(0x0B) & _OVER
        print("%d,%d,%d,%d,%d" % (at, energy, read(0x05, 3) >> 4, high, 1 if over else 0))
        if ended:
            return
        before = high
        while high == before and not ended and ticks_diff(ticks_us(), at) < period_us:
            if trigger:
                high = trigger.value()
            ended = bool(asked.poll(0))
