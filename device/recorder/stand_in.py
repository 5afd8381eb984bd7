"""The modules `machine`, `time` and `select` of an emulated recorder: a chip on an I2C bus, a trigger pin, a clock.

For MicroPython's Unix port, as lib/machine.py; scene.json says what is there, and to `edges` a line is added whenever
the board's trigger line changes: level, and when on the computer's clock in us. The emulated board has a clock of its
own, which advances by what each step takes on a board: a computer that is busy does not make it see an edge late. It
runs LAG_US behind the computer's clock, because by then every edge of that time is known.
"""

import json
import math

import uselect as _select
import utime as _time

LAG_US = 150000
# It waits when it has run ahead this far; behind by more, something else ran, and it goes on from there.
_AHEAD_US = 1000
_BEHIND_US = 500000
# More than on a board, but then the process has time for others.
_LOOK_US = 100

with open("/scene.json") as _file:
    _SCENE = json.load(_file)

# By chip: identities by register, V of one count of the shunt's and of the bus voltage, us of one round of both.
_CHIPS = {
    "ina219": ({0x00: 0x399F}, 10e-6, 4e-3, 1064),
    "ina226": ({0xFE: 0x5449, 0xFF: 0x2260}, 2.5e-6, 1.25e-3, 920),
    "ina228": ({0x3E: 0x5449, 0x3F: 0x2281}, 312.5e-9, 195.3125e-6, 300),
}


class Clock:
    """us of the emulated board."""

    def __init__(self):
        self._us = _time.ticks_us() - LAG_US

    def now(self):
        return self._us

    def begin(self):
        """Go on from now: it stood still while the recorder waited, and must not see what happened meanwhile."""
        self._us = _time.ticks_us()

    def spend(self, us):
        """What was done takes this long."""
        self._us += us
        ahead = self._us - (_time.ticks_us() - LAG_US)
        if ahead > _AHEAD_US:
            _time.sleep_us(ahead)
        elif ahead < -_BEHIND_US:
            self._us -= ahead


_clock = Clock()
ticks_us = _clock.now


def sleep_ms(ms):
    """As that of `time`."""
    _clock.spend(ms * 1000)


class Poll:
    """As select.poll, for the console alone: a byte is there when the emulated board has come to that time."""

    def __init__(self):
        self._poll = _select.poll()
        self._at = None

    def register(self, stream, mask):
        self._poll.register(stream, mask)
        _clock.begin()

    def poll(self, timeout_ms):
        if self._at is None and self._poll.poll(0):
            self._at = _time.ticks_us()
        _clock.spend(1)
        return self._at is not None and _clock.now() >= self._at


class _World:
    """The board's current: one level while its trigger line is low, another while it is high, and a sine on both."""

    def __init__(self):
        self._file = open("/edges")  # noqa: SIM115
        self._times, self._levels = [], []
        self._rest = ""

    def now(self):
        """us on the board's clock; edges up to then are known."""
        self._rest += self._file.read()
        *lines, self._rest = self._rest.split("\n")
        for line in lines:
            level, at = line.split()
            self._levels.append(int(level))
            self._times.append(int(at))
        return _clock.now()

    def level(self, at):
        for known, level in zip(reversed(self._times), reversed(self._levels)):
            if known <= at:
                return level
        return 0

    def charge(self, begin, end):
        """A s between two times."""
        marks = [begin] + [at for at in self._times if begin < at < end] + [end]
        total = 0.0
        for at in range(1, len(marks)):
            base = _SCENE["active"] if self.level(marks[at - 1]) else _SCENE["idle"]
            total += base * (marks[at] - marks[at - 1]) / 1e6
        if _SCENE["ripple"]:
            turn = 2 * math.pi * _SCENE["ripple_hz"]
            total += _SCENE["ripple"] / turn * (math.cos(turn * begin / 1e6) - math.cos(turn * end / 1e6))
        return total


_world = _World()


class Pin:
    IN = 0

    def __init__(self, number, mode=IN):
        pass

    def value(self):
        _clock.spend(_LOOK_US)
        return _world.level(_world.now())


class I2C:
    """The bus: one chip, at the address of the scene."""

    def __init__(self, bus, sda=None, scl=None, freq=400000):
        self._bit_us = 1e6 / freq
        self._identities, self._shunt_v, self._bus_v, self._round_us = _CHIPS[_SCENE["chip"]]
        self._registers = {}
        self._begin = None
        self._reset()

    def writeto_mem(self, address, register, data):
        self._transfer(address, len(data))
        value = data[0] << 8 | data[1]
        if register == 0 and value & 0x8000:
            self._reset()
        else:
            self._registers[register] = value

    def readfrom_mem_into(self, address, register, buffer):
        self._transfer(address, len(buffer))
        buffer[:] = self._read(register).to_bytes(len(buffer), "big")

    def _transfer(self, address, size):
        if address != _SCENE["address"]:
            raise OSError(19)
        _clock.spend(int(9 * (size + 3) * self._bit_us))

    def _reset(self):
        self._registers = dict(self._identities)
        self._counted, self._joules, self._over = self._round(), 0.0, False

    def _round(self):
        """When the last round of conversions ended."""
        return _world.now() // self._round_us * self._round_us

    def _current(self, begin, end):
        """A, as this instrument sees the mean between two times."""
        return _world.charge(begin, end) * 1e6 / (end - begin) * (1 + _SCENE["gain"]) + _SCENE["offset"]

    def _read(self, register):
        if register and register in self._identities:
            return self._identities[register]
        if _SCENE["chip"] == "ina228":
            return self._read_228(register)
        end = self._round()
        if register == 1:
            self._watch(end)
            return self._counts(self._current(end - self._round_us, end)) & 0xFFFF
        if register == 2:
            return round(_SCENE["volts"] / self._bus_v) << (3 if _SCENE["chip"] == "ina219" else 0)
        return self._registers.get(register, 0)

    def _counts(self, amperes):
        end = 4000 << (self._registers[0] >> 11 & 3) if _SCENE["chip"] == "ina219" else 32767
        return max(-end, min(end, round(amperes * _SCENE["shunt"] / self._shunt_v)))

    def _read_228(self, register):
        end = self._round()
        if register == 0x05:
            return round(_SCENE["volts"] / self._bus_v) << 4
        if register == 0x0B:
            said = self._registers.get(register, 0) | (0x40 if self._over else 0)
            self._over = False
            return said
        if register == 0x09:
            self._watch(end)
            small = bool(self._registers.get(0, 0) & 0x10)
            scale = self._registers.get(2, 0) / (13107.2e6 * _SCENE["shunt"] * (4 if small else 1))
            if end > self._counted:
                amperes = self._current(self._counted, end)
                most = (0.04096 if small else 0.16384) / _SCENE["shunt"]
                if abs(amperes) > most:
                    self._over = True
                self._joules += min(abs(amperes), most) * _SCENE["volts"] * (end - self._counted) / 1e6
                self._counted = end
            return int(self._joules / (16 * 3.2 * scale)) % (1 << 40) if scale else 0
        return self._registers.get(register, 0)

    def _watch(self, now):
        """Tell when it is time to be unplugged."""
        if self._begin is None:
            self._begin = now
        elif _SCENE["unplug"] and now - self._begin > _SCENE["unplug"] * 1e6:
            with open("/unplugged", "w"):
                pass
            _time.sleep(60)
