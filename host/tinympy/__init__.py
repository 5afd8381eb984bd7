"""tinympy: the MLPerf-Tiny-style benchmark for boards with stock MicroPython or CircuitPython firmware."""

__version__ = "0.1.0"
