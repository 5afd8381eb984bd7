"""Requantisation in machine words: arithmetic.h's narrow multiply, of 16-bit halves, exact where words have 32 bits and
where they have 64."""

import micropython


@micropython.viper
def requantise_all(totals: ptr32, multipliers: ptr32, scaling: ptr8, output: ptr8, at: int, shape: ptr32):  # noqa: F821
    """Write the accumulators of `shape`[0] channels as int8 to the output from `at` on.

    shape -- channels, zero point and low end of the clamp and its high end, each with 128 added
    scaling -- four bytes for each channel, the first of which is its shift
    """
    channels = shape[0]
    zero_point = shape[1] - 128
    low = shape[2] - 128
    high = shape[3] - 128
    for c in range(channels):
        x = totals[c]
        multiplier = multipliers[c]
        shift = (scaling[4 * c] ^ 128) - 128
        right = 0
        if shift > 0:
            x = x << shift
        else:
            right = 0 - shift
        # round(x * multiplier / 2^31), halves upwards; x has 32 bits, whatever stands above them.
        x_low = x & 0xFFFF
        x_high = (((x >> 16) & 0xFFFF) ^ 0x8000) - 0x8000
        m_low = multiplier & 0xFFFF
        m_high = (multiplier >> 16) & 0x7FFF
        cross = x_high * m_low
        rest = x_low * m_high + (((x_low * m_low) >> 16) & 0xFFFF)
        carry = ((cross & 0x7FFF) + (rest & 0x7FFF) + 0x4000) >> 15
        product = x_high * m_high * 2 + (cross >> 15) + (rest >> 15) + carry
        # product / 2^right, rounded to nearest, halves away from zero
        one = 1
        mask = (one << right) - 1
        threshold = mask >> 1
        if product < 0:
            threshold += 1
        scaled = product >> right
        if (product & mask) > threshold:
            scaled += 1
        # The sum wraps at 32 bits.
        scaled += zero_point
        scaled = (((((scaled >> 16) & 0xFFFF) ^ 0x8000) - 0x8000) << 16) | (scaled & 0xFFFF)
        if scaled < low:
            scaled = low
        if scaled > high:
            scaled = high
        output[at + c] = scaled
