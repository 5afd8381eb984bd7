"""RESIZE_BILINEAR in Python. TFLM: reference_ops::ResizeBilinearInteger: positions in 1024ths of a pixel."""

from struct import unpack_from

from .fixed_point import rounding_divide_by_power, signed, span

ONE = 1024


def neighbours(index, step, origin, count):
    """(The pixels that an output lies between, its distance from the first in 1024ths)."""
    position = index * step + origin
    first = max(position, 0) // ONE
    second = min((position + ONE - 1) // ONE, count - 1)
    return first, second, position - first * ONE


def resize_bilinear(op, arena):
    """Each output is the mean of four pixels, weighed by how near it lies to them."""
    fields = unpack_from("<6H2I2i", op.parameters)
    input_height, input_width, output_height, output_width, channels, _ = fields[:6]
    row_step, column_step, row_origin, column_origin = fields[6:]
    source = span(arena, op.input, input_height * input_width * channels)
    target = span(arena, op.output, output_height * output_width * channels)
    at = 0
    for y in range(output_height):
        upper, lower, down = neighbours(y, row_step, row_origin, input_height)
        for x in range(output_width):
            left, right, along = neighbours(x, column_step, column_origin, input_width)
            corners = (
                ((upper * input_width + left) * channels, (ONE - down) * (ONE - along)),
                ((upper * input_width + right) * channels, (ONE - down) * along),
                ((lower * input_width + left) * channels, down * (ONE - along)),
                ((lower * input_width + right) * channels, down * along),
            )
            for c in range(channels):
                total = sum([signed(source[pixel + c]) * weight for pixel, weight in corners])
                target[at] = rounding_divide_by_power(total, 20) & 0xFF
                at += 1
