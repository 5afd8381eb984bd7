"""The kernels refuse a program, a handle, an arena or a range: every reason of tk.h, one violation at a time."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from damaged_network import OPERATIONS, Damage, damage_to, header, network, tensor, tile, tile_entry
from kernel_library import KernelLibrary, ProgramRefused
from program_view import ERRORS, ProgramView
from tinympy.compiler import compile_model
from tinympy.model.write import write


@pytest.fixture(scope="module")
def library() -> KernelLibrary:
    return KernelLibrary("sanitized")


@pytest.fixture(scope="module")
def program() -> bytes:
    return compile_model(write(network())).program


def last_tile_byte_missing(view: ProgramView) -> None:
    """The tile says that it ends one byte behind the program, in both places."""
    view.tile_entries[0].bytes += 1
    view.tile(0).bytes += 1


def unaligned_tile(view: ProgramView) -> None:
    view.tile_entries[0].offset += 2


BIG = 0x7FFFFFFF
COUNT = len(OPERATIONS)

WHOLE_PROGRAM: list[tuple[str, str, Damage]] = [
    ("MAGIC", "other magic", header(magic=0x12345678)),
    ("VERSION", "other version", header(version=3)),
    ("HEAD", "other header size", header(header_bytes=100)),
    ("HEAD", "unknown layout of constants", header(layout=1)),
    ("HEAD", "head size for other counts", header(tile_count=2)),
    ("HEAD", "program ends within its head", header(program_bytes=100)),
    ("HEAD", "more initial operations than there are", header(initial_operations=COUNT + 1)),
    ("HEAD", "arena beyond 1 GiB", header(arena_bytes=(1 << 30) + 1)),
    ("TENSOR", "output behind the arena", tensor(offset=BIG)),
    ("TENSOR", "output longer than the arena", tensor(bytes=0xFFFFFFFF)),
    ("TILE", "tile within the head", tile_entry(offset=96)),
    ("TILE", "tile header behind the program's end", tile_entry(offset=0xFFFFFFF0)),
    ("TILE", "tile behind the program's end", last_tile_byte_missing),
    ("TILE", "unaligned tile", unaligned_tile),
    ("TILE", "tile of another program", tile(program_id=1)),
    ("TILE", "another tile", tile(index=1)),
    ("TILE", "tile of another size", tile(bytes=8)),
]


@pytest.mark.parametrize(("error", "damage"), [pytest.param(e, d, id=f"{e}: {t}") for e, t, d in WHOLE_PROGRAM])
def test_a_program_is_refused_for(library: KernelLibrary, program: bytes, error: str, damage: Damage) -> None:
    with pytest.raises(ProgramRefused, match=f"^-{ERRORS[error]}$"):
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
        last: int = COUNT,
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


@pytest.mark.parametrize(("first", "last"), [(0, COUNT + 1), (COUNT + 1, COUNT + 1), (3, 2), (-1, COUNT), (0, -1)])
def test_ranges_outside_the_program_are_refused(calls: Calls, first: int, last: int) -> None:
    assert calls.load() == 0
    assert calls.run(first=first, last=last) == -ERRORS["RANGE"]


def test_tiles_elsewhere_in_memory_are_used_and_checked(library: KernelLibrary) -> None:
    program = compile_model(write(network()), tile_bytes=2100).program
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
    assert {error for error, *_ in WHOLE_PROGRAM} | elsewhere == {
        name for name, code in ERRORS.items() if code < ERRORS["OPCODE"]
    }
