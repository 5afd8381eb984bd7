"""The kernels refuse a program, a handle, an arena or a range: every reason of tk.h, one violation at a time."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kernel_library import NATIVE_MODULES, KernelLibrary, ProgramRefused
from program_view import ProgramView
from tinympy.compiler import compile_model
from tinympy.compiler.graph import Graph, Operator, Quantization, Tensor
from tinympy.compiler.write import write

ERRORS = {
    name: int(code)
    for name, code in re.findall(r"TK_ERROR_(\w+) = (\d+)", (NATIVE_MODULES / "kernels/tk.h").read_text("utf-8"))
}
CONV, POINTWISE, DEPTHWISE, POOL, DENSE, SOFTMAX = range(6)
"""The operations of `network`, in order."""

Damage = Callable[[ProgramView], None]


def network() -> Graph:
    """One of each: 4x4x2 → convolution 3x3 → convolution 1x1 → depthwise 3x3 → pool 2x2 → 3 classes → softmax."""
    tensors: list[Tensor] = []

    def activation(*shape: int, quantization: Quantization | None = None) -> int:
        quantization = quantization or Quantization.per_tensor(0.5)
        tensors.append(Tensor(f"t{len(tensors)}", shape, "int8", quantization))
        return len(tensors) - 1

    def weights(*shape: int) -> int:
        data = (np.arange(np.prod(shape)) % 7 - 3).astype(np.int8).reshape(shape)
        tensors.append(Tensor(f"w{len(tensors)}", shape, "int8", Quantization.per_tensor(0.1), data))
        return len(tensors) - 1

    same: dict[str, Any] = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    halves: dict[str, Any] = {"padding": "VALID", "stride_h": 2, "stride_w": 2}
    first = activation(1, 4, 4, 2)
    conv, pointwise, depthwise = activation(1, 4, 4, 4), activation(1, 4, 4, 4), activation(1, 4, 4, 8)
    pool, dense = activation(1, 2, 2, 8), activation(4, 3)
    softmax = activation(4, 3, quantization=Quantization.per_tensor(1 / 256, -128))
    operators = (
        Operator("CONV_2D", (first, weights(4, 3, 3, 2), -1), (conv,), same),
        Operator("CONV_2D", (conv, weights(4, 1, 1, 4), -1), (pointwise,), same),
        Operator("DEPTHWISE_CONV_2D", (pointwise, weights(1, 3, 3, 8), -1), (depthwise,), same),
        Operator("AVERAGE_POOL_2D", (depthwise,), (pool,), {**halves, "filter_height": 2, "filter_width": 2}),
        Operator("FULLY_CONNECTED", (pool, weights(3, 8), -1), (dense,)),
        Operator("SOFTMAX", (dense,), (softmax,), {"beta": 1.0}),
    )
    return Graph(tuple(tensors), operators, (first,), (softmax,))


@pytest.fixture(scope="module")
def library() -> KernelLibrary:
    return KernelLibrary("sanitized")


@pytest.fixture(scope="module")
def program() -> bytes:
    return compile_model(write(network())).program


def header(**fields: int) -> Damage:
    return lambda view: change(view.header, fields)


def tensor(**fields: int) -> Damage:
    return lambda view: change(view.tensors[1], fields)


def operation(index: int, **fields: int) -> Damage:
    return lambda view: change(view.operations[index], fields)


def window(index: int, **fields: int) -> Damage:
    return lambda view: change(view.operations[index].window, fields)


def dense(**fields: int) -> Damage:
    return lambda view: change(view.operations[DENSE].fully_connected, fields)


def softmax(**fields: int) -> Damage:
    return lambda view: change(view.operations[SOFTMAX].softmax, fields)


def tile(**fields: int) -> Damage:
    return lambda view: change(view.tile(0), fields)


def tile_entry(**fields: int) -> Damage:
    return lambda view: change(view.tile_entries[0], fields)


def change(structure: ctypes.Structure, fields: dict[str, int]) -> None:
    for name, value in fields.items():
        assert hasattr(structure, name)
        setattr(structure, name, value)


def last_tile_byte_missing(view: ProgramView) -> None:
    """The tile says that it ends one byte behind the program, in both places."""
    view.tile_entries[0].bytes += 1
    view.tile(0).bytes += 1


def first_channel_constant(at: int, value: int, width: int) -> Damage:
    def damage(view: ProgramView) -> None:
        begin = view.tile_entries[0].offset + 16 + view.operations[CONV].constants + at
        view.content[begin : begin + width] = value.to_bytes(width, "little", signed=True)

    return damage


BIG = 0x7FFFFFFF

WHOLE_PROGRAM: list[tuple[str, str, Damage]] = [
    ("MAGIC", "other magic", header(magic=0x12345678)),
    ("VERSION", "other version", header(version=2)),
    ("HEAD", "other header size", header(header_bytes=100)),
    ("HEAD", "unknown layout of constants", header(layout=1)),
    ("HEAD", "head size for other counts", header(tile_count=2)),
    ("HEAD", "program ends within its head", header(program_bytes=100)),
    ("HEAD", "arena beyond 1 GiB", header(arena_bytes=(1 << 30) + 1)),
    ("TENSOR", "output behind the arena", tensor(offset=BIG)),
    ("TENSOR", "output longer than the arena", tensor(bytes=0xFFFFFFFF)),
    ("TILE", "tile within the head", tile_entry(offset=96)),
    ("TILE", "tile header behind the program's end", tile_entry(offset=0xFFFFFFF0)),
    ("TILE", "tile behind the program's end", last_tile_byte_missing),
    ("TILE", "unaligned tile", tile_entry(offset=714)),
    ("TILE", "tile of another program", tile(program_id=1)),
    ("TILE", "another tile", tile(index=1)),
    ("TILE", "tile of another size", tile(bytes=8)),
]

ONE_OPERATION: list[tuple[str, int, str, Damage]] = [
    ("OPCODE", CONV, "no opcode", operation(CONV, opcode=0)),
    ("OPCODE", SOFTMAX, "unknown opcode", operation(SOFTMAX, opcode=6)),
    ("SHAPE", CONV, "no input height", window(CONV, input_height=0)),
    ("SHAPE", CONV, "no output channels", window(CONV, output_channels=0)),
    ("SHAPE", CONV, "no stride", window(CONV, stride_width=0)),
    ("SHAPE", CONV, "no dilation", window(CONV, dilation_height=0)),
    ("SHAPE", CONV, "no channels to compute", window(CONV, channels=0)),
    ("SHAPE", CONV, "channels behind the last", window(CONV, first_channel=1)),
    ("SHAPE", CONV, "windows behind the input's end", window(CONV, output_height=5)),
    ("SHAPE", CONV, "windows beside the input", window(CONV, stride_width=2)),
    ("SHAPE", CONV, "kernel that reaches too far", window(CONV, kernel_height=0xFFFF, dilation_height=0xFFFF)),
    ("SHAPE", POINTWISE, "padding of a 1x1 kernel", window(POINTWISE, pad_top=1)),
    ("SHAPE", DEPTHWISE, "no depth multiplier", window(DEPTHWISE, depth_multiplier=0)),
    ("SHAPE", DEPTHWISE, "other depth multiplier", window(DEPTHWISE, depth_multiplier=3)),
    ("SHAPE", POOL, "pool that changes channels", window(POOL, input_channels=4)),
    ("SHAPE", POOL, "dilated pool", window(POOL, dilation_width=2)),
    ("SHAPE", POOL, "pool of more positions than a sum can hold", window(POOL, input_height=4096, input_width=2049)),
    ("SHAPE", DENSE, "no rows", dense(batches=0)),
    ("SHAPE", DENSE, "no inputs", dense(inputs=0)),
    ("SHAPE", DENSE, "no outputs to compute", dense(channels=0)),
    ("SHAPE", DENSE, "outputs behind the last", dense(first_channel=0xFFFFFFFF)),
    ("SHAPE", SOFTMAX, "no rows", softmax(rows=0)),
    ("SHAPE", SOFTMAX, "no classes", softmax(depth=0)),
    ("SHAPE", SOFTMAX, "more classes than a sum can hold", softmax(depth=4096)),
    ("SHAPE", SOFTMAX, "no exponentials", softmax(exponentials=0)),
    ("SHAPE", SOFTMAX, "more exponentials than distances", softmax(exponentials=257)),
    ("ACTIVATIONS", CONV, "input behind the arena", operation(CONV, input=BIG)),
    ("ACTIVATIONS", CONV, "output behind the arena", operation(CONV, output=0xFFFFFFFF)),
    ("ACTIVATIONS", CONV, "input larger than 4 GiB", window(CONV, input_height=0xFFFF, input_width=0xFFFF)),
    ("ACTIVATIONS", CONV, "scratch behind the arena", operation(CONV, scratch=BIG)),
    ("ACTIVATIONS", DEPTHWISE, "unaligned scratch", operation(DEPTHWISE, scratch=2)),
    ("ACTIVATIONS", DEPTHWISE, "scratch behind the arena", operation(DEPTHWISE, scratch=BIG - 3)),
    ("ACTIVATIONS", POOL, "input behind the arena", operation(POOL, input=BIG)),
    ("ACTIVATIONS", DENSE, "input larger than 4 GiB", dense(batches=BIG)),
    ("ACTIVATIONS", DENSE, "output behind the arena", operation(DENSE, output=BIG)),
    ("ACTIVATIONS", SOFTMAX, "input larger than the arena", softmax(rows=BIG)),
    ("ACTIVATIONS", SOFTMAX, "output behind the arena", operation(SOFTMAX, output=BIG)),
    ("CONSTANTS", CONV, "no such tile", operation(CONV, tile=1)),
    ("CONSTANTS", CONV, "constants behind their tile", operation(CONV, constants=BIG - 3)),
    ("CONSTANTS", CONV, "unaligned constants", operation(CONV, constants=2)),
    ("CONSTANTS", DENSE, "weights longer than their tile", dense(batches=1, inputs=60)),
    ("CONSTANTS", DEPTHWISE, "more taps than weights", window(DEPTHWISE, kernel_width=4000)),
    ("CONSTANTS", DENSE, "biases longer than their tile", dense(batches=1, inputs=1, outputs=90, channels=90)),
    ("CONSTANTS", SOFTMAX, "exponentials longer than their tile", softmax(exponentials=256)),
    ("VALUE", CONV, "input zero point beyond int8", window(CONV, input_zero_point=128)),
    ("VALUE", CONV, "output zero point beyond int8", window(CONV, output_zero_point=-129)),
    ("VALUE", POOL, "clamp beyond int8", window(POOL, output_max=128)),
    ("VALUE", DENSE, "clamp beyond int8", dense(output_min=-129)),
    ("VALUE", CONV, "negative multiplier", first_channel_constant(4 * 4, -1, 4)),
    ("VALUE", CONV, "right shift beyond 31", first_channel_constant(8 * 4, -32, 1)),
    ("VALUE", CONV, "left shift beyond 30", first_channel_constant(8 * 4, 31, 1)),
]


def damage_to(program: bytes, damage: Damage) -> bytes:
    view = ProgramView(program)
    damage(view)
    assert bytes(view) != program
    return bytes(view)


def test_the_program_itself_is_accepted_and_has_these_operations(library: KernelLibrary, program: bytes) -> None:
    loaded = library.load(program)
    loaded.run()
    assert [operation.opcode for operation in loaded.view.operations] == [1, 1, 2, 4, 3, 5]
    assert loaded.view.operations[SOFTMAX].softmax.exponentials < 256


@pytest.mark.parametrize(("error", "damage"), [pytest.param(e, d, id=f"{e}: {t}") for e, t, d in WHOLE_PROGRAM])
def test_a_program_is_refused_for(library: KernelLibrary, program: bytes, error: str, damage: Damage) -> None:
    with pytest.raises(ProgramRefused, match=f"^-{ERRORS[error]}$"):
        library.load(damage_to(program, damage))


@pytest.mark.parametrize(
    ("error", "index", "damage"), [pytest.param(e, i, d, id=f"{e}: {t} ({i})") for e, i, t, d in ONE_OPERATION]
)
def test_an_operation_is_refused_for(
    library: KernelLibrary, program: bytes, error: str, index: int, damage: Damage
) -> None:
    with pytest.raises(ProgramRefused, match=f"^-{ERRORS[error] + 256 * index}$"):
        library.load(damage_to(program, damage))


def test_a_program_is_refused_at_every_length_but_its_own(library: KernelLibrary, program: bytes) -> None:
    head_bytes = ProgramView(program).header.head_bytes
    for length in range(len(program)):
        error = "TRUNCATED" if length < head_bytes else "TILE"
        with pytest.raises(ProgramRefused, match=f"^-{ERRORS[error]}$"):
            library.load(program[:length])


class Memory:
    """A block of bytes for the C functions; `at(1)` is an unaligned address in it."""

    def __init__(self, content: bytes) -> None:
        self.words = np.zeros(len(content) // 8 + 2, np.uint64)
        self.words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
        self.size = len(content)

    def at(self, offset: int = 0) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.words.ctypes.data + offset)


class Calls:
    """The three functions with arguments that are right unless a test says otherwise."""

    def __init__(self, library: KernelLibrary, program: bytes) -> None:
        self.functions = library.functions
        self.program = Memory(program)
        self.handle = Memory(bytes(self.functions.tk_handle_bytes(self.program.at(), self.program.size)))
        self.arena = Memory(bytes(ProgramView(program).header.arena_bytes))

    def load(self, offset: int = 0, missing: int = 0, tiles: ctypes.c_void_p | None = None) -> int:
        """The handle at an unaligned address, or some bytes short; `tiles`: addresses of the tiles."""
        size = self.handle.size - missing
        return int(self.functions.tk_load(self.handle.at(offset), size, self.program.at(), self.program.size, tiles))

    def run(
        self,
        handle_offset: int = 0,
        handle_missing: int = 0,
        offset: int = 0,
        missing: int = 0,
        first: int = 0,
        last: int = 6,
    ) -> int:
        handle_bytes, arena_bytes = self.handle.size - handle_missing, self.arena.size - missing
        handle, arena = self.handle.at(handle_offset), self.arena.at(offset)
        return int(self.functions.tk_run(handle, handle_bytes, arena, arena_bytes, first, last))


@pytest.fixture
def calls(library: KernelLibrary, program: bytes) -> Calls:
    return Calls(library, program)


def test_unaligned_addresses_are_refused(calls: Calls, program: bytes) -> None:
    shifted = Memory(b"\0" + program)
    for at in (shifted.at(1), shifted.at(4)):
        assert calls.functions.tk_handle_bytes(at, len(program)) == -ERRORS["ALIGNMENT"]
    assert calls.load(tiles=shifted.at(4)) == -ERRORS["ALIGNMENT"]
    assert calls.load(offset=1) == -ERRORS["HANDLE"]
    assert calls.load() == 0
    assert calls.run(offset=4) == -ERRORS["ALIGNMENT"]
    assert calls.run(handle_offset=1) == -ERRORS["HANDLE"]


def test_a_handle_that_is_short_or_was_never_loaded_is_refused(calls: Calls) -> None:
    assert calls.load(missing=1) == -ERRORS["HANDLE"]
    assert calls.run() == -ERRORS["HANDLE"]
    assert calls.load() == 0
    assert calls.run(handle_missing=1) == -ERRORS["HANDLE"]
    assert calls.run(handle_missing=calls.handle.size) == -ERRORS["HANDLE"]
    assert calls.run() == 0


def test_a_handle_whose_program_was_refused_does_not_run(calls: Calls) -> None:
    assert calls.load() == 0
    calls.program.words.view(np.uint8)[ProgramView(bytes(calls.program.words)).header.head_bytes - 8] ^= 1
    assert calls.load() == -ERRORS["TILE"]
    assert calls.run() == -ERRORS["HANDLE"]


def test_an_arena_that_is_too_small_is_refused(calls: Calls) -> None:
    assert calls.load() == 0
    assert calls.run(missing=1) == -ERRORS["ARENA"]


@pytest.mark.parametrize(("first", "last"), [(0, 7), (7, 7), (3, 2), (-1, 6), (0, -1)])
def test_ranges_outside_the_program_are_refused(calls: Calls, first: int, last: int) -> None:
    assert calls.load() == 0
    assert calls.run(first=first, last=last) == -ERRORS["RANGE"]


def test_tiles_elsewhere_in_memory_are_used_and_checked(library: KernelLibrary) -> None:
    program = compile_model(write(network()), tile_bytes=260).program
    expected = library.load(program)
    expected.run()
    view = ProgramView(program)
    assert view.header.tile_count > 1
    tiles = [Memory(program[entry.offset : entry.offset + 16 + entry.bytes]) for entry in view.tile_entries]
    calls = Calls(library, program[: view.header.head_bytes])
    assert calls.load() == -ERRORS["TILE"]
    addresses = (ctypes.c_void_p * len(tiles))(*(tile.at() for tile in tiles))
    table = ctypes.cast(addresses, ctypes.c_void_p)
    assert calls.load(tiles=table) == 0
    assert calls.run(last=view.header.operation_count) == 0
    np.testing.assert_array_equal(calls.arena.words.view(np.uint8)[: calls.arena.size], expected.arena)
    for wrong in (tiles[1].at(), None, tiles[0].at(1)):
        addresses[0] = wrong
        assert calls.load(tiles=table) == -ERRORS["TILE"]


def test_every_reason_has_a_test() -> None:
    elsewhere = {"TRUNCATED", "ALIGNMENT", "HANDLE", "ARENA", "RANGE"}
    assert {error for error, *_ in [*WHOLE_PROGRAM, *ONE_OPERATION]} | elsewhere == set(ERRORS)
