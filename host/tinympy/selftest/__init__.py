"""The self-test: every kernel on known numbers, on the board, so that firmware, module and chip are known to fit.

A small model with every kernel is compiled, put on the board with the package, and run twice after it is installed,
before any number is taken. The board's answers are checksums of its outputs, to be held against those of
`tflite-micro` in vectors.json. That its constants arrived is checked by loading it, as with every program.
"""

from __future__ import annotations

import ast
import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tinympy.compiler import compile_model
from tinympy.engines import NATIVE, Engine
from tinympy.errors import BoardError
from tinympy.line import Line
from tinympy.selftest import network

NAME = "_selftest"
"""The program's name on the board."""

_QUESTION = f"""
def _tinympy_tests():
    import gc
    gc.collect()
    import tinympy
    from tinympy.compat import crc32
    model = tinympy.load({NAME!r}, {{engine!r}})
    for i in range(len(model.input)):
        model.input[i] = {network.STEP} * i + {network.START} & 255
    model.run()
    first = [crc32(output) & 0xFFFFFFFF for output in model.outputs]
    model.run()
    return list(zip(first, [crc32(output) & 0xFFFFFFFF for output in model.outputs]))
def _tinympy_floats():
    try:
        from tinympy._native import float_of
        # Two, because what a floating-point register holds may be one of them.
        return "integer" if (float_of(0x3FC00000), float_of(0xC0100000)) == (1.5, -2.25) else "floating-point"
    except Exception:
        return None
print((_tinympy_tests(), _tinympy_floats()))
del _tinympy_tests, _tinympy_floats
"""
_RUN_S = 5.0
_INTERPRETED_RUN_S = 60.0


@dataclass(frozen=True)
class SelfTest:
    """A board's answers to `tests` operators, of `kinds` different ones; `wrong` are those that differ.

    floats: the registers in which the firmware passes floats, "integer" or "floating-point"; None: it does not say.
    Our modules pass none, so it only tells firmware apart.
    """

    tests: int
    kinds: int
    wrong: tuple[str, ...]
    floats: str | None = None


@functools.cache
def program() -> bytes:
    """The program to be deployed as NAME."""
    compiled: bytes = compile_model(network.build(), NAME).program
    return compiled


@functools.cache
def vectors() -> tuple[tuple[str, tuple[int, int]], ...]:
    """Of each output the operator, and the CRC-32 of its bytes after the first and the second inference."""
    document: list[dict[str, Any]] = json.loads(files(__package__).joinpath("vectors.json").read_text())
    return tuple((row["operator"], (row["crc32"][0], row["crc32"][1])) for row in document)


def run(line: Line, module: str, engine: Engine = NATIVE) -> SelfTest:
    """Run the program, which is on the board, with an engine, of which `module` says for what it was built.

    Raises:
        BoardError: the board does not finish.
    """
    try:
        answer = line.exec(_QUESTION.format(engine=engine.name), _RUN_S if engine is NATIVE else _INTERPRETED_RUN_S)
    except BoardError as error:
        raise BoardError(
            f"the self-test of the kernels ({module}) did not end: {error.message}", error.hint or _HINT
        ) from error
    return judge(answer)


def judge(answer: str) -> SelfTest:
    """What the printed `answer` says. BoardError when it is none."""
    known = vectors()
    try:
        answers, floats = ast.literal_eval(answer.strip())
        pairs = [(int(first), int(second)) for first, second in answers]
    except (ValueError, SyntaxError, TypeError) as error:
        raise BoardError(f"the self-test answered {answer.strip()[:80]!r}", "reset the board and try again") from error
    if len(pairs) != len(known):
        raise BoardError(f"the self-test has {len(pairs)} answers instead of {len(known)}", "deploy again")
    wrong = tuple(
        f"{operator} (output {index})"
        for index, ((operator, expected), found) in enumerate(zip(known, pairs, strict=True))
        if expected != found
    )
    return SelfTest(len(known), len({operator for operator, _ in known}), wrong, floats)


_HINT = (
    "reset the board and run `tinympy selftest`; if it stays, firmware and module do not fit: install official "
    "MicroPython firmware for exactly this board"
)


def require(result: SelfTest, module: str) -> None:
    """BoardError when a kernel computed wrongly."""
    if result.wrong:
        more = f" and {len(result.wrong) - 4} more" if len(result.wrong) > 4 else ""
        raise BoardError(
            f"the kernels ({module}) compute wrongly on this board: {', '.join(result.wrong[:4])}{more} of "
            f"{result.tests} outputs",
            _HINT,
        )
