"""The ulab engine: the Python engine, with ulab's numpy for the products of three operators.

For CircuitPython, whose firmware has ulab, and MicroPython built with it. ulab's arrays have two dimensions at most and
no 32-bit integers, and its `dot` adds in floats, of 32 bits on most boards. These are exact up to 2^24: as far as the
sums of LONGEST products go. Biases, what is beyond that and requantisation are integers.
"""

from .python import PythonEngine


class UlabEngine(PythonEngine):
    """Runs a program's operations on an arena, as PythonEngine. ValueError where this interpreter has no ulab."""

    name = "ulab"
    faster = {
        1: ("ulab_convolution", "conv_2d"),
        2: ("ulab_convolution", "depthwise_conv_2d"),
        3: ("ulab_matrix", "fully_connected"),
    }

    def __init__(self, program, addresses):
        try:
            from ulab import numpy  # noqa: F401
        except ImportError:
            raise ValueError("this firmware has no ulab: use the engine python") from None
        PythonEngine.__init__(self, program, addresses)
