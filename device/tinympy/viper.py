"""The viper engine: the Python engine, with the loops that take the time compiled to machine code by MicroPython.

For MicroPython on cores that it generates code for. What is not listed here, the Python engine's functions do.
"""

from .python import PythonEngine


class ViperEngine(PythonEngine):
    """Runs a program's operations on an arena, as PythonEngine. ValueError where this interpreter compiles no loops."""

    name = "viper"
    faster = {
        1: ("viper_convolution", "conv_2d"),
        2: ("viper_convolution", "depthwise_conv_2d"),
        3: ("viper_matrix", "fully_connected"),
        4: ("viper_pooling", "average_pool_2d"),
        6: ("viper_pooling", "max_pool_2d"),
        7: ("viper_elements", "elementwise"),
        8: ("viper_elements", "lookup"),
    }

    def _function(self, opcode):
        try:
            return PythonEngine._function(self, opcode)
        except (SyntaxError, ImportError):
            raise ValueError("this firmware compiles no machine code: use the engine python") from None
