"""Real streaming models, the wake words of `pymicro-wakeword`: bit-identical with `tflite-micro`, frame after frame."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bit_exact import ARENA_BYTES, runtime
from tinympy.model.graph import Graph
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.reference import Interpreter

WAKE_WORDS = ["alexa", "hey_jarvis", "hey_mycroft", "okay_nabu"]
FRAMES = 100

Values = npt.NDArray[Any]


@pytest.fixture(params=WAKE_WORDS)
def model(request: pytest.FixtureRequest) -> bytes:
    # Found, not imported: the package brings shared libraries that not every system can load.
    package = find_spec("pymicro_wakeword")
    if package is None or package.origin is None:
        pytest.skip("the package pymicro-wakeword is missing")
    return (Path(package.origin).parent / "models" / f"{request.param}.tflite").read_bytes()


def random_frames(graph: Graph) -> list[Values]:
    random = np.random.default_rng(1)
    return [random.integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8) for _ in range(FRAMES)]


def run(interpreter: Interpreter, frames: list[Values]) -> list[dict[int, Values]]:
    """Every tensor that the model computes, for each frame."""
    computed = []
    for frame in frames:
        interpreter.run(frame)
        values = interpreter.values.items()
        computed.append(
            {index: value for index, value in values if interpreter.graph.tensors[index].dtype != "resource"}
        )
    return computed


def test_every_tensor_of_every_frame_is_bit_identical(model: bytes) -> None:
    graph = read(model)
    frames = random_frames(graph)
    preserving = runtime.InterpreterConfig.kPreserveAllTensors
    expected = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES, intrepreter_config=preserving)
    for frame, values in zip(frames, run(Interpreter(graph), frames), strict=True):
        expected.set_input(frame, 0)
        expected.invoke()
        for index, value in values.items():
            np.testing.assert_array_equal(value, expected.GetTensor(index, 0)["tensor_data"], str(index), strict=True)


def test_after_a_reset_the_sequence_repeats(model: bytes) -> None:
    interpreter = Interpreter(read(model))
    frames = random_frames(interpreter.graph)
    first = run(interpreter, frames)
    unlike_first = run(interpreter, frames[:1])
    interpreter.reset()
    np.testing.assert_equal(run(interpreter, frames), first)
    with pytest.raises(AssertionError):
        np.testing.assert_equal(unlike_first, first[:1])


def test_what_is_written_again_computes_the_same(model: bytes) -> None:
    graph = read(model)
    frames = random_frames(graph)[:20]
    np.testing.assert_equal(run(Interpreter(read(write(graph))), frames), run(Interpreter(graph), frames))
