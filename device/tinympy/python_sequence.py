"""Operators with a memory, in Python: SVDF and LSTM. TFLM: EvalIntegerSVDF; EvalLstm with int8 activations and weights
and an int16 cell state."""

from array import array
from struct import pack_into, unpack_from

from .fixed_point import clamp, dot, int8s, int32s, multiply_quantised, requantise, span, wrapped

SVDF = "<7I2i2bBbh"
LSTM = "<4I6H2i4b"
GATES = 4
INPUT, FORGET, CELL, OUTPUT = range(GATES)


def svdf(op, arena):
    """Each filter makes one number of the frame, keeps the last `memory` ones and weighs them; `rank` are a unit."""
    fields = unpack_from(SVDF, op.parameters)
    state_at, inputs, units, rank, memory, first, channels, state_multiplier, output_multiplier = fields[:9]
    state_shift, output_shift, state_bytes, zero_point, state_zero_point = fields[9:]
    filters = channels * rank
    memory_bytes = memory * state_bytes
    kind = "b" if state_bytes == 1 else "h"
    limit = 127 if state_bytes == 1 else 32767

    frame = int8s(span(arena, op.input, inputs))
    target = span(arena, op.output, units)
    totals = int32s(op.constants, 0, channels)
    filter_bias = int32s(op.constants, 4 * channels, filters)
    time_at = 4 * (channels + filters)
    feature = span(op.constants, time_at + filters * memory_bytes, filters * inputs)
    for unit in range(channels):
        total = totals[unit]
        for each in range(unit * rank, (unit + 1) * rank):
            product = wrapped(filter_bias[each] + dot(frame, feature, each * inputs))
            newest = clamp(multiply_quantised(product, state_multiplier, state_shift), -limit - 1, limit)
            # TFLM clamps before it adds the zero point: what then does not fit wraps.
            newest = (newest + state_zero_point + limit + 1) % (2 * limit + 2) - limit - 1
            state = span(arena, state_at + (first * rank + each) * memory_bytes, memory_bytes)
            kept = array(kind, bytes(state[state_bytes:]) + bytes(state_bytes))
            kept[memory - 1] = newest
            state[:] = bytes(kept)
            weights = array(kind, bytes(span(op.constants, time_at + each * memory_bytes, memory_bytes)))
            total += sum([a * b for a, b in zip(kept, weights)])
        target[first + unit] = requantise(total, output_multiplier, output_shift, zero_point) & 0xFF


def saturated(x):
    """x as 16 bits hold it."""
    return clamp(x, -32768, 32767)


def interpolated(table, x, fraction_bits):
    """Between the table's entries, 2^fraction_bits apart, and the last one beyond."""
    index = x >> fraction_bits
    if index >= len(table) - 1:
        return table[len(table) - 1] << fraction_bits
    fraction = x & ((1 << fraction_bits) - 1)
    return (table[index] << fraction_bits) + fraction * (table[index + 1] - table[index])


def logistic(table, x):
    """1 / (1 + exp(-x)) in units of 2^-15, for 16-bit x in units of 2^-12: table entries are 512 / 3 of these apart."""
    result = interpolated(table, 3 * abs(x), 9)
    return ((1 << 25) - result + (1 << 9) - 1 if x < 0 else result + (1 << 9)) >> 10


def hyperbolic_tangent(table, x, exponent):
    """tanh(x) in units of 2^-15, for 16-bit x in units of 2^exponent."""
    shift = exponent + 12
    scaled = 3 * x << shift if shift >= 0 else (3 * x + (1 << -shift - 1)) >> -shift
    result = interpolated(table, abs(scaled), 8) - (1 << 23)
    return ((1 << 7) - 1 - result if scaled < 0 else result + (1 << 7)) >> 8


def lstm(op, arena):
    """A unit's four gates each add what they weigh of the frame and of the hidden state, 16 bits in units of 2^-12.

    The hidden state stays as it is until the last unit of a frame is computed.
    """
    fields = unpack_from(LSTM, op.parameters)
    hidden_at, cell_at, input_stride, output_stride, steps, inputs, units, first, channels, cell_limit = fields[:10]
    input_multiplier, hidden_multiplier, input_shift, hidden_shift, zero_point, cell_exponent = fields[10:]
    multipliers = int32s(op.constants, 0, 2 * GATES)
    shifts = int8s(span(op.constants, 32, 2 * GATES))
    table = array("H", bytes(span(op.constants, 40, 512)))
    biases = int32s(op.constants, 552, 2 * GATES * channels)
    weights = span(op.constants, 552 + 8 * GATES * channels, channels * GATES * (inputs + units))
    hidden = span(arena, hidden_at, units)
    cells = span(arena, cell_at, 2 * units)

    for step in range(steps):
        frame = int8s(span(arena, op.input + step * input_stride, inputs))
        before = int8s(hidden)
        output = span(arena, op.output + step * output_stride, units)
        at = 0
        for unit in range(channels):
            gates = []
            for i in range(2 * GATES):
                values = frame if i < GATES else before
                total = wrapped(biases[2 * GATES * unit + i] + dot(values, weights, at))
                gates.append(saturated(multiply_quantised(total, multipliers[i], shifts[i])))
                at += len(values)
            gate = [saturated(gates[i] + gates[GATES + i]) for i in range(GATES)]
            place = 2 * (first + unit)
            kept = logistic(table, gate[FORGET]) * unpack_from("<h", cells, place)[0]
            kept = saturated(multiply_quantised(kept, 1 << 30, -14))
            added = logistic(table, gate[INPUT]) * hyperbolic_tangent(table, gate[CELL], -12)
            added = saturated(multiply_quantised(added, input_multiplier, input_shift))
            content = clamp(saturated(kept + added), -cell_limit, cell_limit)
            pack_into("<h", cells, place, content)
            shown = logistic(table, gate[OUTPUT]) * hyperbolic_tangent(table, content, cell_exponent)
            output[first + unit] = requantise(shown, hidden_multiplier, hidden_shift, zero_point) & 0xFF
        if first + channels == units:
            hidden[:] = output
