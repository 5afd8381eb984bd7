"""The native engine: the C kernels, in the module `_native` that was compiled for this board's architecture, or in
firmware that they were built into. The file is looked for first: it is of the same version as this package."""

try:
    from . import _native
except ImportError:
    import tinympy_native as _native

_REASONS = {
    1: "it is truncated",
    2: "it is not a program",
    3: "its format is of another version",
    4: "its head contradicts itself",
    5: "it, a tile or the arena is not aligned",
    6: "a tile is not where it should be",
    7: "an input or output lies outside the arena",
    8: "the handle is not one of load()",
    9: "the arena is too small",
    10: "there are fewer operations",
}


def _check(result):
    if result < 0:
        operation, code = divmod(-result, 256)
        reason = _REASONS.get(code, "operation %d, error %d" % (operation, code))
        raise ValueError("the kernels refuse the program: " + reason)


class NativeEngine:
    """Runs a program's operations on an arena. Checks the program once; ValueError when the kernels refuse it.

    addresses -- a machine word for each tile of the program, where it lies; None when it is within `program`
    """

    name = "native"

    def __init__(self, program, addresses):
        self._kept = program, addresses  # the handle points into them
        self._handle = _native.load(program, addresses)
        if isinstance(self._handle, int):
            _check(self._handle)

    def run(self, arena, first, last):
        """Run operations first … last - 1. `arena`: a bytearray of at least the program's arena_bytes."""
        result = _native.run(self._handle, arena, first, last)
        if result:
            _check(result)
