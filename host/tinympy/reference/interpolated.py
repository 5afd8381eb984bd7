"""Logistic function and hyperbolic tangent in 16 bits, interpolated in one table (LSTM's gates).

Sources: TFLM's reference integer_ops/logistic.h and tanh.h (int16), and the table in its internal/common.h.
"""

from __future__ import annotations

import numpy as np

from tinympy.reference.arithmetic import Int64s

# Where TFLM's table has one more than the rounded value.
_ONE_MORE = [
    *(4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49),
    *(50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255),
]


def _sigmoid_table() -> Int64s:
    """2^16 / (1 + exp(-i / 24)) for i = 0 … 255."""
    table = np.rint(65536 / (1 + np.exp(-np.arange(256) / 24))).astype(np.int64)
    table[_ONE_MORE] += 1
    return table


SIGMOID_TABLE = _sigmoid_table()


def logistic(x: Int64s) -> Int64s:
    """1 / (1 + exp(-x)) in units of 2^-15, for 16-bit x in units of 2^-12."""
    scaled = 3 * x  # table entries are 1/24 apart, 512 units of 2^-12 / 3
    result = _interpolated(np.abs(scaled), 9)
    return np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1) >> 10


def tanh(x: Int64s, unit_exponent: int) -> Int64s:
    """tanh(x) in units of 2^-15, for 16-bit x in units of 2^unit_exponent."""
    shift = unit_exponent + 12
    scaled = (3 * x) << shift if shift >= 0 else (3 * x + (1 << (-shift - 1))) >> -shift
    result = _interpolated(np.abs(scaled), 8) - (1 << 23)
    return np.where(scaled >= 0, result + (1 << 7), -result + (1 << 7) - 1) >> 8


def _interpolated(x: Int64s, fraction_bits: int) -> Int64s:
    """Between the table's entries, and the last one beyond (where 16 bits do not lead the logistic function)."""
    index = np.minimum(x >> fraction_bits, 254)
    entry, next_entry = SIGMOID_TABLE[index], SIGMOID_TABLE[index + 1]
    between = (entry << fraction_bits) + (x & ((1 << fraction_bits) - 1)) * (next_entry - entry)
    return np.where(x >> fraction_bits >= 255, int(SIGMOID_TABLE[255]) << fraction_bits, between)
