"""What differs between interpreters: clock, console as bytes, keyboard interrupt, heap, firmware.

The only place on the device that asks which interpreter runs: MicroPython (1.23 or later), CircuitPython (8 or later),
or CPython for the tests. CircuitPython takes Ctrl-C, byte 3, out of the console's line before a program reads it, and
has no `kbd_intr` to change that; so there frames come without it (`unescaping`).
"""

import gc
import sys
import time

try:
    from binascii import crc32
except ImportError:  # firmware built without it

    def crc32(data, crc=0):
        """CRC-32 of `data` (bytes-like), continuing `crc`, as binascii.crc32."""
        crc ^= 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF


try:
    from micropython import kbd_intr as _kbd_intr
except ImportError:
    _kbd_intr = None

CTRL_C = 0x03
# On a console that cannot carry Ctrl-C: this byte, which no text command has, and the byte meant with a bit flipped.
ESCAPE = 0x10
FLIPPED = 0x20

# Energy monitors see 1 us; this is 0.001 % of a window.
PULSE_US = 100

_is_process = sys.platform in ("linux", "darwin", "win32")

if hasattr(time, "ticks_us"):
    ticks_us = time.ticks_us
    ticks_diff = time.ticks_diff
    TICKS_PERIOD_US = time.ticks_add(0, -1) + 1
else:
    # A 30-bit counter like that of a 32-bit board, so that the tests meet its wrap-around.
    TICKS_PERIOD_US = 1 << 30

    def ticks_us():
        """Microseconds of a counter that wraps at TICKS_PERIOD_US."""
        return time.monotonic_ns() // 1000 % TICKS_PERIOD_US

    def ticks_diff(end, start):
        """end - start in microseconds, for stamps less than half a period apart."""
        return (end - start + TICKS_PERIOD_US // 2) % TICKS_PERIOD_US - TICKS_PERIOD_US // 2


def elapsed_us(end, start):
    """Microseconds from stamp `start` to the later stamp `end`, for up to a whole period (18 minutes on 32 bits)."""
    return ticks_diff(end, start) % TICKS_PERIOD_US


def ticks_step_us():
    """The smallest step seen between readings of the clock: its resolution, or the cost of reading it."""
    smallest = TICKS_PERIOD_US
    last = ticks_us()
    readings = steps = 0
    # Some clocks have hundreds of readings in a step.
    while readings < 100 or steps < 5:
        now = ticks_us()
        step = ticks_diff(now, last)
        if step > 0:
            steps += 1
            smallest = min(smallest, step)
        last = now
        readings += 1
    return smallest


if hasattr(sys.stdin, "buffer"):
    _stdin = sys.stdin.buffer
    _stdout = sys.stdout.buffer
    _flush = getattr(_stdout, "flush", None) if sys.implementation.name == "cpython" else None
else:
    import usb_cdc

    _stdin = _stdout = usb_cdc.console
    _flush = None


def unescaping(read_into):
    """Of a function that fills a memoryview from a line: one that undoes wire.escape."""

    def read(view):
        begun = False
        while len(view):
            read_into(view)
            if not begun and (view[0] != ESCAPE if len(view) == 1 else ESCAPE not in bytes(view)):
                return
            data = bytes(view)
            pieces = (bytes((ESCAPE,)) + data if begun else data).split(bytes((ESCAPE,)))
            begun = not pieces[-1]
            filled = len(pieces[0])
            view[:filled] = pieces[0]
            for piece in pieces[1:]:
                if piece:
                    view[filled] = piece[0] ^ FLIPPED
                    view[filled + 1 : filled + len(piece)] = piece[1:]
                    filled += len(piece)
            view = view[filled:]

    return read


def read_into(view):
    """Wait until the memoryview `view` is filled from the console. EOFError when the console is gone."""
    missing = len(view)
    while missing:
        count = _stdin.readinto(view)
        if not count:
            raise EOFError
        missing -= count
        if missing:
            view = view[count:]


if not hasattr(sys.stdin, "buffer"):
    read_into = unescaping(read_into)


def write(data):
    """Write all of `data` (bytes-like) to the console, unchanged."""
    _stdout.write(data)
    if _flush:
        _flush()


def uart(number, baud, tx=None, rx=None):
    """Open a UART; (read_into, write) like those of the console, but write returns when all has been sent.

    `tx` and `rx` are what machine.Pin takes; None: the port's own pins.
    """
    from machine import UART, Pin

    pins = {key: Pin(pin) for key, pin in (("tx", tx), ("rx", rx)) if pin is not None}
    port = UART(number, baudrate=baud, timeout=1000, **pins)

    def read_into(view):
        while len(view):
            view = view[port.readinto(view) or 0 :]

    def write(data):
        data = memoryview(data)
        while len(data):
            data = data[port.write(data) or 0 :]
        port.flush()

    return read_into, write


def _open_outside(path):
    # A file of the computer, whatever is mounted over its root, to be written to without a buffer.
    try:
        from os import VfsPosix
    except ImportError:
        return open(path, "wb", 0)
    return VfsPosix("/").open(path, "wb")


def output(pin, value=0):
    """Make `pin` an output of this level; a function that sets its level.

    `pin` is what machine.Pin takes, or a path: there a line of level and microseconds is written now and each time.
    """
    if isinstance(pin, str) and "/" in pin:
        line = _open_outside(pin)

        def level(value):
            line.write(b"%d@%d\n" % (value, ticks_us()))

        level(value)
        return level
    try:
        from machine import Pin
    except ImportError:
        return _digital_output(pin, value)
    return Pin(pin, Pin.OUT, value=value)


def _digital_output(pin, value):
    # CircuitPython's; `pin` is a GPIO's number, or a name that the board has for it.
    import board
    from digitalio import DigitalInOut
    from microcontroller import pin as pins

    line = DigitalInOut(getattr(pins, "GPIO%d" % pin) if isinstance(pin, int) else getattr(board, pin))
    line.switch_to_output(bool(value))

    def level(value):
        line.value = bool(value)

    return level


def trigger(pin):
    """Make `pin` (see `output`) high; a function that makes a falling edge on it and holds it low for PULSE_US.

    The function may be given a level, as that of `output` is, and does the same for each.
    """
    level = output(pin, 1)
    sleep_us = getattr(time, "sleep_us", None) or (lambda us: time.sleep(us / 1000000))

    def pulse(_=0):
        level(0)
        sleep_us(PULSE_US)
        level(1)

    return pulse


def interrupt_character(on):
    """Make Ctrl-C interrupt the program, or pass as a byte like any other.

    The Unix port is left as it is: its console is a raw terminal where byte 3 never interrupts and SIGINT always does.
    """
    if _kbd_intr and not _is_process:
        _kbd_intr(3 if on else -1)


def let_output_leave():
    """Wait until the serial line has sent what it holds; the Unix port's holds nothing once `write` has returned."""
    if not _is_process:
        time.sleep(0.002)


def unknown():
    """The free bytes of a heap that was not asked."""
    return 0


# Free bytes of the heap as it is, without a collection; 0 where the interpreter does not say.
mem_free = getattr(gc, "mem_free", unknown)


def heap_free_bytes():
    """Free bytes of the heap after a collection, or 0 where the interpreter does not say."""
    gc.collect()
    return mem_free()


def firmware():
    """What runs here: a dict of implementation, version, build, machine, platform, mpy, clock_hz, ticks_step_us."""
    implementation = sys.implementation
    build = sys.version
    try:
        from machine import freq

        clock_hz = freq()
    except ImportError:
        clock_hz = 0
    try:
        # CircuitPython; 8.x says elsewhere what it is.
        from os import uname

        from microcontroller import cpu

        clock_hz = cpu.frequency
        build = uname()[3]
    except ImportError:
        pass
    return {
        "implementation": implementation.name,
        "version": ".".join([str(part) for part in implementation.version[:3]]),
        "build": build,
        "machine": getattr(implementation, "_machine", ""),
        "platform": sys.platform,
        "mpy": getattr(implementation, "_mpy", 0),
        "clock_hz": clock_hz if isinstance(clock_hz, int) else clock_hz[0],
        "ticks_step_us": ticks_step_us(),
    }
