"""What executes programs on a board: the kernels in C, or one of the engines in Python, bit for bit the same.

An engine is one entry here, its files in the device package, and its name in `ENGINES` of device/tinympy/__init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass

_PYTHON = (
    *(
        "file_tiles",
        "fixed_point",
        "python",
        "python_convolution",
        "python_elements",
        "python_matrix",
        "python_movement",
    ),
    *("python_pooling", "python_reduction", "python_resize", "python_sequence", "python_softmax"),
)


@dataclass(frozen=True)
class Engine:
    """An engine by the name it is asked for.

    files -- which of the device package only this engine needs, without their ending
    title -- what it is, in a few words
    mac_s -- seconds for a multiply-accumulate that no board that is worth measuring takes longer than
    interpreted -- executed by Python: slow, and it allocates
    machine_code -- has loops that are compiled to machine code, for the board's architecture
    ram_bytes -- heap that its code takes on a 32-bit board, at most (tests/board/test_engines_rp2040.py); None: the
        native module says
    """

    name: str
    files: tuple[str, ...]
    title: str
    mac_s: float
    interpreted: bool = True
    machine_code: bool = False
    ram_bytes: int | None = None


ENGINES = {
    each.name: each
    for each in (
        Engine("native", ("native",), "C kernels, a native module", 1e-6, interpreted=False),
        Engine(
            "viper",
            (
                *_PYTHON,
                *("viper", "viper_convolution", "viper_elements", "viper_matrix", "viper_pooling", "viper_requantise"),
            ),
            "Python, inner loops compiled by MicroPython",
            1e-5,
            machine_code=True,
            ram_bytes=30_000,
        ),
        Engine(
            "ulab",
            (*_PYTHON, "ulab", "ulab_convolution", "ulab_matrix", "ulab_requantise"),
            "Python, products by ulab's numpy",
            2e-4,
            ram_bytes=27_000,
        ),
        Engine("python", _PYTHON, "Python, the teaching reference", 2e-4, ram_bytes=22_000),
    )
}
"""By name, the fastest first."""
NATIVE = ENGINES["native"]
