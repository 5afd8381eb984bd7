"""Operators that move bytes, in Python: COPY, FILL and GATHER."""

from struct import unpack_from

from .fixed_point import span

LOOP = "<I2i"
LOOP_BYTES = 12


def copy(op, arena):
    """Nested loops, each with a count and a stride at both ends; what is copied is in the arena or the constants."""
    count, from_constants, element_bytes = unpack_from("<2BH", op.parameters)
    loops = [unpack_from(LOOP, op.constants, LOOP_BYTES * i) for i in range(count)]
    source = op.constants[LOOP_BYTES * count :] if from_constants else memoryview(arena)
    target = memoryview(arena)

    def rounds(level, at, to):
        times, input_stride, output_stride = loops[level]
        for _ in range(times):
            if level < count - 1:
                rounds(level + 1, at, to)
            elif at < 0 or to < 0:
                raise ValueError("the program reaches beyond its memory")
            else:
                moved = span(source, at, element_bytes)
                for i in range(element_bytes):
                    target[to + i] = moved[i]
            at += input_stride
            to += output_stride

    rounds(0, op.input, op.output)


def fill(op, arena):
    """One value everywhere."""
    count, value = unpack_from("<Ii", op.parameters)
    target = span(arena, op.output, count)
    for i in range(count):
        target[i] = value & 0xFF


def gather(op, arena):
    """For each row of blocks, those that the constants list."""
    outer, blocks, block_bytes, indices = unpack_from("<4I", op.parameters)
    index = span(op.constants, 0, 2 * indices)
    source = span(arena, op.input, outer * blocks * block_bytes)
    target = span(arena, op.output, outer * indices * block_bytes)
    at = 0
    for row in range(outer):
        for i in range(indices):
            begin = (row * blocks + unpack_from("<H", index, 2 * i)[0]) * block_bytes
            for byte in range(begin, begin + block_bytes):
                target[at] = source[byte]
                at += 1
