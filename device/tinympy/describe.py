"""What a model is made of and how long it takes, for people at the prompt. Imported when somebody asks."""

from struct import unpack_from

from . import compat
from .program import HEADER_BYTES, OPERATION, OPERATION_BYTES, TENSOR_BYTES, TILE_ENTRY, TILE_ENTRY_BYTES

WINDOW_US = 20_000
WINDOWS = 3
NO_TILE = 0xFFFF
# By opcode.
NAMES = (
    "",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "AVERAGE_POOL_2D",
    "SOFTMAX",
    "MAX_POOL_2D",
    "ELEMENTWISE",
    "LOOKUP",
    "REDUCE",
    "COPY",
    "FILL",
    "GATHER",
    "LOG_SOFTMAX",
    "SVDF",
    "LSTM",
    "RESIZE_BILINEAR",
    "QUANTISE",
    "ARG",
    "BATCH_MATMUL",
)
ELEMENTWISE = ("ADD", "MUL", "MAXIMUM", "MINIMUM", "PRELU")


class Rows:
    """The Layers of an inference, to be indexed and looped over; at the prompt they show themselves as a table.

    whole_us -- microseconds of a whole inference, None where nothing was timed
    """

    def __init__(self, rows):
        self._rows = rows
        self.whole_us = None

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        return self._rows[index]

    def __iter__(self):
        return iter(self._rows)

    def __repr__(self):
        lines = [("#", "operator", "input", "output", "bytes", "MACs")]
        lines += [
            (
                str(row.index),
                row.name,
                dimensions(row.input_shape),
                dimensions(row.output_shape),
                str(row.bytes),
                str(row.macs),
            )
            for row in self
        ]
        lines.append(("", "sum", "", "", str(sum([row.bytes for row in self])), str(sum([row.macs for row in self]))))
        if self.whole_us is not None:
            sum_us = sum([row.time_us for row in self]) or 1
            unit, factor = ("us", 1) if self.whole_us < 10_000 else ("ms", 1000)
            times = [(unit, "%")]
            times += [("%.1f" % (row.time_us / factor), "%.1f" % (100 * row.time_us / sum_us)) for row in self]
            times.append(("%.1f" % (sum_us / factor), "100.0"))
            lines = [line + more for line, more in zip(lines, times)]
        widths = [max([len(line[i]) for line in lines]) for i in range(len(lines[0]))]
        text = "\n".join([_line(line, widths) for line in lines])
        return text if self.whole_us is None else "%s\nwhole inference: %.1f %s" % (text, self.whole_us / factor, unit)


class Layer:
    """An operation of a program: run(index, index + 1) runs it alone.

    name -- the operator. input_shape, output_shape -- () where the program does not say.
    bytes -- of weights and tables. macs -- multiply-accumulates; 0 where it computes no sums of products.
    input_at, output_at -- where its first input and its output begin in the arena
    time_us -- microseconds that it takes, None where it was not timed
    """

    def __init__(self, index, fields, constants_bytes):
        opcode, _, _, _, self.input_at, self.output_at, _, parameters = fields
        self.index = index
        self.name = NAMES[opcode] if opcode != 7 else ELEMENTWISE[parameters[18]]
        self.input_shape, self.output_shape, self.macs = _work(opcode, parameters)
        self.bytes = constants_bytes
        self.time_us = None

    def __repr__(self):
        return "%d %s %s -> %s" % (self.index, self.name, dimensions(self.input_shape), dimensions(self.output_shape))


def summary(model):
    """A Model in a line."""
    sides = model.head.inputs, model.head.outputs
    ends = [" + ".join([dimensions(each.shape) + " " + each.dtype for each in side]) for side in sides]
    return "<%s: %s -> %s; arena %d bytes, program %d bytes, engine %s>" % (
        model.name,
        ends[0],
        ends[1],
        model.arena_bytes,
        model.program_bytes,
        model.engine,
    )


def layers(model):
    """The Rows of an inference of `model`."""
    head, program = model.head, model.program
    at = HEADER_BYTES + TENSOR_BYTES * (len(head.inputs) + len(head.outputs))
    every = [unpack_from(OPERATION, program, at + OPERATION_BYTES * i) for i in range(head.operation_count)]
    # In a tile the constants of operations lie one after another.
    ends = [unpack_from(TILE_ENTRY, program, head.tiles_at + TILE_ENTRY_BYTES * i)[1] for i in range(head.tile_count)]
    rows = []
    for index in range(head.initial_operations, len(every)):
        tile, begin = every[index][2:4]
        count = 0
        if tile != NO_TILE:
            later = [fields[3] for fields in every if fields[2] == tile and fields[3] > begin]
            later.append(ends[tile])
            count = min(later) - begin
        rows.append(Layer(index, every[index], count))
    return Rows(rows)


def profile(model):
    """The same with times, measured here and now on the input that the model has. Its state begins anew afterwards.

    What calling an operation costs is taken off; the whole inference has it once.
    """
    rows = layers(model)
    call_us = _time_us(model, 0, 0)
    for row in rows:
        row.time_us = max(0, _time_us(model, row.index, row.index + 1) - call_us)
    rows.whole_us = _time_us(model, None, None)
    model.reset()
    return rows


def dimensions(shape):
    """A shape as text, without spaces."""
    return "x".join([str(size) for size in shape])


def product(numbers):
    """All of them multiplied."""
    result = 1
    for number in numbers:
        result *= number
    return result


def _time_us(model, first, last):
    """Microseconds of one run of these operations: the median of WINDOWS windows, or one run that is longer."""
    run = model.run
    count = 1
    found = []
    while len(found) < WINDOWS:
        start = compat.ticks_us()
        for _ in range(count):
            run(first, last)
        us = compat.elapsed_us(compat.ticks_us(), start)
        if us >= WINDOW_US // 2:
            found.append(us / count)
            if us >= 10 * WINDOW_US:
                break
        else:
            count = max(2 * count, count * WINDOW_US // max(us, 1)) if us * 20 >= WINDOW_US else 8 * count
    return sorted(found)[len(found) // 2]


def _work(opcode, parameters):
    """(shape of the input, shape of the output, MACs) of an operation; docs/program-format.md has the parameters."""
    if opcode in (1, 2, 4, 6):
        height, width, depth, to_height, to_width, _, kernel_height, kernel_width = unpack_from("<8H", parameters)
        channels, filter_depth = unpack_from("<2H", parameters, 38)
        output = (to_height, to_width, channels)
        taps = kernel_height * kernel_width * {1: filter_depth, 2: 1}.get(opcode, 0)
        return (height, width, depth), output, product(output) * taps
    a, b, c, d, e = unpack_from("<5I", parameters)
    if opcode == 3:
        return (a, b), (a, e), a * b * e
    if opcode in (5, 13):
        return (a, b), (a, b), 0
    if opcode == 7:
        shape = unpack_from("<6H", parameters, 4)
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        return shape, shape, 0
    if opcode in (8, 17):
        return (a,), (a,), 0
    if opcode in (9, 18):
        return (a, b, c), (a, c), 0
    if opcode == 11:
        return (), (a,), 0
    if opcode == 12:
        return (a, b, c), (a, d, c), 0
    if opcode == 14:
        memory, _, channels = unpack_from("<3I", parameters, 16)
        return (b,), (channels,), channels * d * (b + memory)
    if opcode == 15:
        steps, inputs, units, _, channels = unpack_from("<5H", parameters, 16)
        return (steps, inputs), (steps, channels), 4 * steps * channels * (inputs + units)
    if opcode == 16:
        height, width, to_height, to_width, depth = unpack_from("<5H", parameters)
        return (height, width, depth), (to_height, to_width, depth), 0
    if opcode == 19:
        return (b, c), (b, d), b * c * d
    return (), (), 0


def _line(cells, widths):
    """Words to the left, numbers to the right."""
    padded = [
        cell + " " * (width - len(cell)) if 1 <= i <= 3 else " " * (width - len(cell)) + cell
        for i, (cell, width) in enumerate(zip(cells, widths))
    ]
    return "  ".join(padded)
