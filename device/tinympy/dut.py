"""The device under test: the loop of MLPerf Tiny's serial commands (mlcommons/tiny, benchmark/api). Entry: `serve`.

docs/protocol.md specifies the commands, and the frames that may stand between them (frames.py).
"""

import gc
from binascii import hexlify, unhexlify

from . import compat, quantisation
from .frames import BROKEN, BUFFER, FRAME, NOWHERE, Frames
from .wire import START

VENDOR = "tinympy"
FIRMWARE = "ULPMark for tinyML Firmware V0.0.1"
COMMAND_CHARACTERS = 80
CARRIAGE_RETURN = 0x0D
TERMINATOR = 0x25

HELP = """

help         : Print this information
name         : Print the name of the device
timestsamp   : Generate a timetsamp
db SUBCMD    : Manipulate a generic byte buffer
  load N     : Allocate N bytes and set load counter
  db HH[HH]* : Load 8-bit hex byte(s) until N bytes
  print [N=16] [offset=0]
             : Print N bytes at offset as hex
infer N [W=0]: Load input, execute N inferences after W warmup loops
results      : Return the result fp32 vector"""


def serve(model, name="kws01", wire_input="int8", wire_results="truncated", wire_bytes=490, mark=None, pulses=False):
    """Serve commands from the console until Ctrl-C is pressed twice, an EXIT frame, or the end of the console.

    `model` is a Model, or has all that is public in one but head and predict(). Text commands know the first input and
    the first output only, frames all of them. `name` is the task. `wire_input` and `wire_results` are kinds of
    quantisation.py; the `db` buffer holds one input of `wire_bytes` bytes in that form. `mark` is a pin (compat.output)
    that is high during timed windows, for an energy meter to see, or with `pulses` has a falling edge at both ends.
    """
    dut = DeviceUnderTest(model, name, wire_input, wire_results, wire_bytes, compat.read_into, compat.write)
    if mark is not None:
        dut.mark = (compat.trigger if pulses else compat.output)(mark)
    compat.interrupt_character(False)
    try:
        dut.greet()
        dut.loop()
    except (KeyboardInterrupt, EOFError):
        pass
    finally:
        compat.interrupt_character(True)


def serve_energy(model, name, wire_input, wire_results, wire_bytes, trigger, uart, baud, tx=None, rx=None):
    """Serve commands from a UART, as the reference firmware does when energy is measured, until Ctrl-C on the console.

    `trigger` is the pin whose falling edges take the place of laps; `uart`, `baud`, `tx` and `rx` are as in
    compat.uart. Says m-ready on the console when it is about to begin.
    """
    pulse = compat.trigger(trigger)
    read_into, write = compat.uart(uart, baud, tx, rx)
    dut = DeviceUnderTest(model, name, wire_input, wire_results, wire_bytes, read_into, write, pulse)
    compat.write(b"m-ready\r\n")
    try:
        dut.greet()
        dut.loop()
    except KeyboardInterrupt:
        pass


class DeviceUnderTest:
    """The command loop over `read_into(view)`, which fills a memoryview, and `write(data)`.

    With `pulse`, laps are calls of it instead of lines, and the line is not the console.

    source: where the model's input comes from (NOWHERE, BUFFER, FRAME, BROKEN).
    inferences: how many have run since it was loaded.
    window: count, warm-up count, first and last lap (microseconds) of the last timed window; free bytes of the heap
    before and after it; begin and end on a clock that never stands still (see `at`).
    mark: called with 1 when a timed window begins and with 0 when it ends.
    """

    def __init__(self, model, name, wire_input, wire_results, wire_bytes, read_into, write, pulse=None):
        self.model = model
        self.name = name
        self.source = NOWHERE
        self.inferences = 0
        self.window = (0, 0, 0, 0, 0, 0, 0, 0)
        self.mark = None
        self._wire_input = wire_input
        self._wire_results = wire_results
        self._wire_bytes = wire_bytes
        self._read_into = read_into
        self._write = write
        self._pulse = pulse
        self._frames = Frames(self, read_into, write)
        self._buffer = b""
        self._buffer_size = self._buffer_used = 0
        self._lap_us = 0
        self._stamp = compat.ticks_us()
        self._clock_us = 0
        self._clock_ticks = self._stamp

    def at(self, ticks):
        """Microseconds from the beginning to `ticks`, for which nothing may be asked that was earlier."""
        self._clock_us += compat.elapsed_us(ticks, self._clock_ticks)
        self._clock_ticks = ticks
        return self._clock_us

    def greet(self):
        """Print what the reference firmware prints when it starts."""
        self._say("m-timestamp-mode-%s" % ("energy" if self._pulse else "performance"))
        self._timestamp()
        self._say("m-init-done")
        self._say("m-ready")

    def loop(self):
        """Read and execute commands and frames until an EXIT frame, or Ctrl-C after a carriage return or Ctrl-C."""
        byte = bytearray(1)
        view = memoryview(byte)
        command = bytearray(COMMAND_CHARACTERS)
        used = 0
        character = 0
        read_into = self._read_into
        while True:
            previous = character
            read_into(view)
            character = byte[0]
            if character > TERMINATOR:
                # All digits and letters, so the first question.
                if used < COMMAND_CHARACTERS:
                    command[used] = character
                    used += 1
            elif character == TERMINATOR:
                self._command(bytes(memoryview(command)[:used]))
                used = 0
            elif character == START:
                used = 0
                if not self._frames.handle():
                    return
            elif character == compat.CTRL_C:
                # A single one may be a damaged start byte, and at the prompt the rest of that frame would do harm.
                if previous in (compat.CTRL_C, CARRIAGE_RETURN):
                    return
            elif character and used < COMMAND_CHARACTERS:
                command[used] = character
                used += 1

    def interruptible(self, on):
        """Let Ctrl-C interrupt the program, or pass as a byte of the line. Beside a UART the console always may."""
        if not self._pulse:
            compat.interrupt_character(on)

    def _say(self, line):
        self._write(line.encode() + b"\r\n")

    def _command(self, command):
        words = [word for word in command.split(b" ") if word]
        if words:
            try:
                self._dispatch(words)
            except Exception as error:
                self._say("e-[%s: %s]" % (type(error).__name__, error))
        self._say("m-ready")

    def _dispatch(self, words):
        command = words[0]
        if command == b"name":
            self._say("m-name-dut-[%s]" % VENDOR)
        elif command == b"timestamp":
            self._timestamp()
        elif command == b"profile":
            self._say("m-profile-[%s]" % FIRMWARE)
            self._say("m-model-[%s]" % self.name)
        elif command == b"help":
            for line in (FIRMWARE + HELP).split("\n"):
                self._say(line)
        elif command == b"db":
            self._db(words)
        elif command == b"infer":
            self._infer(words)
        elif command == b"results":
            self._results()
        else:
            self._write(b"e-[Unknown command: " + command + b"]\r\n")

    def _db(self, words):
        if len(words) < 2:
            self._say("e-[Command 'db' requires a subcommand]")
        elif words[1] == b"print":
            self._db_print()
        elif words[1] != b"load":
            self._db_digits(words[1])
        elif len(words) < 3:
            self._say("e-[Command 'db load' requires the # of bytes]")
        else:
            self._db_load(_integer(words[2]))

    def _db_load(self, size):
        if size == 0:
            self._say("e-[Command 'db load' must be >0 bytes]")
            return
        self.source = BUFFER
        self._buffer_used = self._buffer_size = 0
        if not 0 < size <= self._wire_bytes:
            self._write(b"Supplied buffer size %d exceeds maximum of %d\n" % (size, self._wire_bytes))
            return
        if not self._buffer:
            self._buffer = bytearray(self._wire_bytes)
        self._buffer_size = size
        self._say("m-[Expecting %d bytes]" % size)

    def _db_digits(self, digits):
        if len(digits) & 1:
            self._say("e-[Insufficent number of hex digits]")
            return
        if self._buffer_used == self._buffer_size:
            self._say("e-[Command 'db load' must come first]")
            return
        used = self._buffer_used
        digits = digits[: 2 * (self._buffer_size - used)]
        wrong = None
        try:
            data = unhexlify(digits)
        except ValueError:
            wrong = _first_wrong(digits)
            data = unhexlify(digits[:wrong])
        self._buffer_used = used + len(data)
        self._buffer[used : self._buffer_used] = data
        if wrong is not None:
            self._write(b"e-[Invalid hex digit '" + digits[wrong : wrong + 2] + b"']\r\n")
        elif self._buffer_used == self._buffer_size:
            self._say("m-load-done")

    def _db_print(self):
        size = self._buffer_size
        for i in range(0, size, 8):
            self._write(b"m-buffer-" + hexlify(memoryview(self._buffer)[i : min(i + 8, size)], b"-") + b"\r\n")
        if size % 8:
            self._say("")

    def _infer(self, words):
        count = _integer(words[1]) if len(words) > 1 else 1
        warmup = _integer(words[2]) if len(words) > 2 else 10
        if count <= 0:
            self._say("e-[Inference iterations must be >0]")
        elif warmup < 0:
            self._say("e-[Inference warmup must be >=0]")
        elif self.source == BROKEN:
            self._say("e-[The input arrived damaged: load it again]")
        else:
            self._load_tensor()
            self.interruptible(True)
            try:
                self.time_window(count, warmup)
                self.inferences += warmup + count
            finally:
                self.interruptible(False)
            self._say("m-infer-done")
            self._results()

    def _load_tensor(self):
        if self.source == FRAME:
            return
        if self._buffer_used == self._wire_bytes:
            model = self.model
            quantisation.load(self._wire_input, self._buffer, model.input, model.input_scale, model.input_zero_point)
            self.inferences = 0
            return
        element_bytes = 4 if self._wire_input == "float32" else 1
        self._write(
            b"Input db has %d elemented, expected %d\n"
            % (self._buffer_used // element_bytes, self._wire_bytes // element_bytes)
        )

    def time_window(self, count, warmup):
        """Run `warmup` and then `count` timed inferences on what is in the input; the result is in `window`."""
        run = self.model.run
        pulse = self._pulse
        ticks_us = compat.ticks_us
        self.model.check()
        self._say("m-warmup-start-%d" % warmup)
        for _ in range(warmup):
            run()
        self._say("m-warmup-done")
        self._say("m-infer-start-%d" % count)
        first_us = self._lap()
        if not pulse:
            self._say("m-lap-us-%d" % first_us)
        # The first lap must be printed before the window, but sending it must not be part of the window.
        gc.collect()
        # Looking through a heap of megabytes takes longer than some inferences, and one alone collects nothing.
        mem_free = compat.mem_free if count > 1 else compat.unknown
        free_bytes = mem_free()
        compat.let_output_leave()
        mark = self.mark
        if pulse:
            pulse()
        start = ticks_us()
        if mark:
            # As late as at the end: whatever the pin takes, the meter sees the length that the clock does. A pulse
            # begins with its edge, so that holds of edges too; PULSE_US of it are in the window.
            mark(1)
        for _ in range(count):
            run()
        end = ticks_us()
        if mark:
            mark(0)
        if pulse:
            pulse()
        self._lap_us = first_us + compat.elapsed_us(end, start)
        self._stamp = end
        left_bytes = mem_free()
        begin_us = self.at(start)
        self.window = (count, warmup, first_us, self._lap_us, free_bytes, left_bytes, begin_us, self.at(end))
        if not pulse:
            self._say("m-lap-us-%d" % self._lap_us)

    def _timestamp(self):
        if self._pulse:
            self._pulse()
        else:
            self._say("m-lap-us-%d" % self._lap())

    def _lap(self):
        now = compat.ticks_us()
        self._lap_us += compat.elapsed_us(now, self._stamp)
        self._stamp = now
        return self._lap_us

    def _results(self):
        model = self.model
        if self.inferences > 1 and not model.keeps_input:
            # Only the first one ran on the input; these are the results of none.
            self._say("m-results-[]")
            return
        known = self.source == BUFFER and self._wire_input == "float32" and self._buffer_used == self._wire_bytes
        text = quantisation.results(
            self._wire_results,
            model.output_integers(),
            model.output_scale,
            model.output_zero_point,
            self._buffer if known else None,
        )
        self._say("m-results-[%s]" % text)


def _first_wrong(digits):
    # The index of the first pair that is no hexadecimal number, where there is one.
    for i in range(0, len(digits), 2):
        try:
            unhexlify(digits[i : i + 2])
        except ValueError:
            return i
    return None


def _integer(word):
    # As C's atoi: leading digits count, anything else ends the number.
    value = 0
    sign = -1 if word[:1] == b"-" else 1
    for character in word[1:] if word[:1] in (b"-", b"+") else word:
        if not 0x30 <= character <= 0x39:
            break
        value = value * 10 + character - 0x30
    return sign * value
