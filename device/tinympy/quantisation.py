"""Between the numbers on the wire and the model's int8: inputs as the reference firmware quantises them, results as it
prints them (mlcommons/tiny, benchmark/reference_submissions). Inputs are raw int8 bytes, seen as unsigned ones."""

import struct


def load(kind, wire, tensor, scale, zero_point):
    """Fill `tensor` (memoryview) from the bytes `wire` of kind "int8", "uint8-128" or "float32" (little-endian)."""
    if kind == "int8":
        tensor[:] = wire
    elif kind == "uint8-128":
        for i in range(len(tensor)):
            tensor[i] = wire[i] ^ 0x80
    else:
        for i in range(len(tensor)):
            tensor[i] = _quantise(struct.unpack_from("<f", wire, 4 * i)[0], scale, zero_point) & 0xFF


def results(kind, integers, scale, zero_point, wire):
    """The text within m-results-[...] of a tensor's `integers`, of kind "truncated", "rounded" or "mse".

    "mse" is the mean squared difference to the float32 inputs in `wire`; without them (None) it is nan.
    """
    values = [(q - zero_point) * scale for q in integers]
    if kind == "truncated":
        return ",".join(["0.%d%d%d" % (int(v * 10), int(v * 100) % 10, int(v * 1000) % 10) for v in values])
    if kind == "rounded":
        return ",".join([_three_digits(v) for v in values])
    if wire is None:
        return "nan"
    total = 0.0
    for i, value in enumerate(values):
        total += (value - struct.unpack_from("<f", wire, 4 * i)[0]) ** 2
    return _three_digits(total / len(values))


def _quantise(value, scale, zero_point):
    # The reference divides in single precision and rounds half away from zero, whatever this interpreter's floats are.
    q = value / scale
    if q != q:
        q = 0
    elif -512 < q < 512:
        q = struct.unpack("<f", struct.pack("<f", q))[0]
        whole = int(q)
        q = whole + (q - whole >= 0.5) - (q - whole <= -0.5)
    else:
        q = 512 if q > 0 else -512
    return max(-128, min(127, q + zero_point))


def _three_digits(value):
    # %.3f differs between interpreters where a value lies half way, as multiples of 1/256 do; C rounds those to even.
    thousandths = round(abs(value) * 1000)
    return "%s%d.%03d" % ("-" if value < 0 else "", thousandths // 1000, thousandths % 1000)
