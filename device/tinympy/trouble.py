"""What to say when a model cannot be loaded or run: what is wrong, and what to do. Imported only then."""

import os
import struct

from . import ENGINES, compat, models
from .program import ARENA_BYTES_AT, BLOCK_SHIFT_AT, HEAD_BYTES_AT, HEADER_BYTES

PROGRAM_BYTES_AT = 8
RANGES = {"uint8": (0, 255), "int16": (-0x8000, 0x7FFF), "int32": (-0x80000000, 0x7FFFFFFF)}
_NO_FILE = 2


def not_loaded(error, path, engine):
    """The exception, of the same type, that says of `error` in load() what to do.

    path -- of the program. engine -- the name that was asked for, or None
    """
    if isinstance(error, ImportError):
        return ImportError(_no_engine(error, engine))
    if isinstance(error, MemoryError):
        return MemoryError(_no_memory(path))
    if error.args and error.args[0] == _NO_FILE:
        return OSError(_no_file(path))
    return error


def refused(model, values):
    """The exception that says why `values` cannot be the inputs of `model`."""
    tensors = model.head.inputs
    counts = [tensor.bytes // tensor.item_bytes for tensor in tensors]
    if len(values) != sum(counts):
        shapes = " and ".join(["x".join([str(size) for size in tensor.shape]) for tensor in tensors])
        return ValueError("%s takes %d values (%s), these are %d" % (model.name, sum(counts), shapes, len(values)))
    index = 0
    for count, tensor in zip(counts, tensors):
        low, high = RANGES.get(tensor.dtype, (-128, 127))
        for i in range(index, index + count):
            if isinstance(values[i], float):
                text = "values[%d] is %r, quantise it: round(%r / m.input_scale) + m.input_zero_point"
                return TypeError(text % (i, values[i], values[i]))
            if not isinstance(values[i], int):
                return TypeError("values[%d] is %r, no number" % (i, values[i]))
            if not low <= values[i] <= high:
                return ValueError("values[%d] is %d, %s takes %d to %d" % (i, values[i], model.name, low, high))
        index += count
    return TypeError("%s takes a list of whole numbers" % model.name)


def _no_engine(error, engine):
    if engine and engine not in ENGINES:
        return "there is no engine %r, there are %s" % (engine, ", ".join(ENGINES))
    folder = __file__.rsplit("/", 1)[0]
    here = [name.split(".")[0] for name in os.listdir(folder)]
    here = [name for name in ENGINES if name in here]
    if engine in here or (here and not engine):
        return "%s does not run here: %s. `tinympy deploy` puts what does on the board" % (engine or here[0], error)
    option = " --engine " + engine if engine else ""
    others = ", only " + ", ".join(here) if here else ""
    text = "the engine %s is not here" % engine if engine else "there is no engine here"
    return "%s%s: `tinympy deploy%s`, on the computer, puts it on the board" % (text, others, option)


def _no_memory(path):
    free_bytes = compat.heap_free_bytes()
    name = path.rsplit("/", 1)[-1].replace(".tmpy", "")
    with open(path, "rb") as file:
        begin = file.read(HEADER_BYTES)
    if len(begin) < HEADER_BYTES:
        return "%s is no program" % name
    at = HEAD_BYTES_AT if begin[BLOCK_SHIFT_AT] else PROGRAM_BYTES_AT
    program_bytes = struct.unpack_from("<I", begin, at)[0]
    arena_bytes = struct.unpack_from("<I", begin, ARENA_BYTES_AT)[0]
    text = "%s needs %d bytes for its arena and %d for its program, %d are free" % (
        name,
        arena_bytes,
        program_bytes,
        free_bytes,
    )
    if free_bytes > arena_bytes + program_bytes:
        text += ", but not in one piece or not enough for the engine"
    return text + ": reset the board and load this first, or take a smaller model"


def _no_file(path):
    folder, name = path.rsplit("/", 1)
    if folder != __file__.rsplit("/", 1)[0]:
        return "there is no file %s" % path
    here = models()
    name = name[: -len(".tmpy")]
    return "there is no model %r here, %s: `tinympy deploy %s`, on the computer, puts it on the board" % (
        name,
        "there are " + ", ".join(here) if here else "and no other",
        name,
    )
