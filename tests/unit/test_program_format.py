"""docs/program-format.md, tk.h and the compiler agree on every offset, and the example is what the compiler emits."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from tinympy.device import program

from tinympy.compiler import loops, operation, parameters
from tinympy.compiler.check import check
from tinympy.compiler.emit import MAX_ARENA_BYTES, emit
from tinympy.compiler.lower import lower
from tinympy.compiler.lowering import MAX_CONSTANT_BYTES, MAX_OPERATIONS
from tinympy.compiler.pack import pack
from tinympy.compiler.place import place
from tinympy.model.graph import Graph, Operator, Quantization, Tensor

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/program-format.md").read_text(encoding="utf-8")
TK_H = (ROOT / "native_modules/kernels/tk.h").read_text(encoding="utf-8")

# Heading in the document: (structure in tk.h, struct format in Python).
STRUCTURES = {
    "## Header": ("tk_header", program.HEADER),
    "## Tensors": ("tk_tensor", program.TENSOR),
    "## Operations": ("tk_operation", program.OPERATION),
    "### Window parameters": ("tk_window", parameters.WINDOW_PARAMETERS.format),
    "### FULLY_CONNECTED parameters": ("tk_fully_connected", parameters.FULLY_CONNECTED_PARAMETERS.format),
    "### SOFTMAX parameters": ("tk_softmax", parameters.SOFTMAX_PARAMETERS.format),
    "### ELEMENTWISE parameters": ("tk_elementwise", parameters.ELEMENTWISE_PARAMETERS.format),
    "### LOOKUP parameters": ("tk_lookup", parameters.LOOKUP_PARAMETERS.format),
    "### REDUCE parameters": ("tk_reduce", parameters.REDUCE_PARAMETERS.format),
    "### COPY parameters": ("tk_copy", parameters.COPY_PARAMETERS.format),
    "#### COPY loops": ("tk_loop", loops.LOOP.format),
    "### FILL parameters": ("tk_fill", parameters.FILL_PARAMETERS.format),
    "### GATHER parameters": ("tk_gather", parameters.GATHER_PARAMETERS.format),
    "### LOG_SOFTMAX parameters": ("tk_log_softmax", parameters.LOG_SOFTMAX_PARAMETERS.format),
    "### SVDF parameters": ("tk_svdf", parameters.SVDF_PARAMETERS.format),
    "### LSTM parameters": ("tk_lstm", parameters.LSTM_PARAMETERS.format),
    "### RESIZE_BILINEAR parameters": ("tk_resize_bilinear", parameters.RESIZE_BILINEAR_PARAMETERS.format),
    "### QUANTISE parameters": ("tk_quantise", parameters.QUANTISE_PARAMETERS.format),
    "### ARG parameters": ("tk_arg", parameters.ARG_PARAMETERS.format),
    "### BATCH_MATMUL parameters": ("tk_batch_matmul", parameters.BATCH_MATMUL_PARAMETERS.format),
    "## Tile table": ("tk_tile_entry", program.TILE_ENTRY),
    "## Tiles": ("tk_tile", program.TILE),
}
FORMAT_LETTERS = {"u8": "B", "u16": "H", "u32": "I", "i8": "b", "i16": "h", "i32": "i", "f32": "f", "bytes": "s"}
C_TYPES = {
    "uint8_t": "u8",
    "uint16_t": "u16",
    "uint32_t": "u32",
    "int16_t": "i16",
    "int8_t": "i8",
    "int32_t": "i32",
    "float": "f32",
    "char": "bytes",
}
SIZES = {"i8": 1, "u8": 1, "u16": 2, "u32": 4, "i16": 2, "i32": 4, "f32": 4, "bytes": 1}

Field = tuple[int, int, str, str]
"""offset, size, type (an array's element type), name"""


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading, up to the next one, without the tables' own headings."""
    section = re.split(r"\n#+ ", DOCUMENT.split(f"\n{heading}\n", 1)[1])[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]


def documented(heading: str) -> list[Field]:
    fields = [cells for cells in rows(heading) if cells[0].isdigit() and cells[1].isdigit()]
    return [(int(at), int(size), kind.partition("[")[0], name) for at, size, kind, name, *_ in fields]


def in_c(name: str) -> list[Field]:
    """The fields of a structure of tk.h; its union of parameters counts as 44 bytes."""
    body = TK_H.split(f"struct {name} {{", 1)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    body = re.sub(r"union \{.*?\} as;", "char parameters[44];", body, flags=re.DOTALL).split("};")[0]
    fields: list[Field] = []
    at = 0
    for kind, names in re.findall(r"(\w+) ([^;]+);", body):
        for declared in names.split(","):
            field, _, count = declared.strip().rstrip("]").partition("[")
            size = SIZES[C_TYPES[kind]] * int(count or 1)
            fields.append((at, size, C_TYPES[kind], field))
            at += size
    return fields


@pytest.mark.parametrize("heading", STRUCTURES)
def test_document_agrees_with_the_c_header(heading: str) -> None:
    # C reads the four letters of the magic as one number, and a hash as numbers of 8 bits.
    as_bytes = {"magic", "model_sha256"}
    expected = [
        (at, size, "bytes" if name in as_bytes else kind, name) for at, size, kind, name in in_c(STRUCTURES[heading][0])
    ]
    assert documented(heading) == expected


def test_every_structure_is_documented() -> None:
    assert set(re.findall(r"\nstruct (tk_\w+) \{", TK_H)) - {name for name, _ in STRUCTURES.values()} == {"tk_limits"}


@pytest.mark.parametrize("heading", STRUCTURES)
def test_document_agrees_with_the_struct_format(heading: str) -> None:
    letters = ""
    for _, size, kind, name in documented(heading):
        # Further places in the arena are filled in when the arena has been planned.
        if name.startswith("reserved") or name in ("input2", "state", "hidden", "cell"):
            letters += "x" * size
        elif kind == "bytes":
            letters += f"{size}s"
        else:
            letters += FORMAT_LETTERS[kind] * (size // SIZES[kind])
    given = STRUCTURES[heading][1]
    # Reserved fields are written as zeros, as numbers or as pad bytes.
    assert struct.calcsize(given) == struct.calcsize("<" + letters)
    sample = bytes(range(1, struct.calcsize(given) + 1))
    values = struct.unpack("<" + letters, sample)
    assert [value for value in struct.unpack(given, sample) if value in values] == list(values)


def test_sizes_are_those_of_the_device_package() -> None:
    for name in ("HEADER", "TENSOR", "OPERATION", "TILE_ENTRY", "TILE"):
        assert struct.calcsize(getattr(program, name)) == getattr(program, f"{name}_BYTES")
    kinds = [getattr(parameters, name) for name in vars(parameters) if name.endswith("_PARAMETERS")]
    assert {kind.size for kind in kinds} == {44}


def test_opcodes_are_those_of_compiler_and_kernels() -> None:
    names = {
        cells[1]: int(cells[0]) for cells in rows("## Operations") if cells[0].isdigit() and not cells[1].isdigit()
    }
    assert names == {name: getattr(operation, name) for name in names}
    assert names == {name.upper(): int(code) for code, name in re.findall(r"KERNEL\((\d+), (\w+)\)", TK_H)}


def test_error_codes_are_those_of_the_kernels() -> None:
    codes = {cells[1]: int(cells[0]) for cells in rows("## What the kernels check") if cells[0].isdigit()}
    assert codes == {name: int(code) for name, code in re.findall(r"TK_ERROR_(\w+) = (\d+)", TK_H)}


def test_limits_are_those_of_the_compiler() -> None:
    limits = {cells[0]: cells[1:] for cells in rows("## Limits")}
    assert limits["arena"][0] == f"2^{MAX_ARENA_BYTES.bit_length() - 1} bytes"
    assert limits["constants"][1] == f"2^{MAX_CONSTANT_BYTES.bit_length() - 1} bytes"
    assert limits["operations"][1].startswith(f"{MAX_OPERATIONS} before")


def test_the_example_is_what_the_compiler_emits() -> None:
    graph = check(example())
    packed = pack(lower(graph))
    emitted = emit(graph, packed, place(packed.lowered), "example", hashlib.sha256(b"").digest())
    block = DOCUMENT.split("```hex\n")[1].split("```")[0]
    shown = b""
    for line in block.splitlines():
        at, content = line.partition("|")[0].split(maxsplit=1)
        assert int(at, 16) == len(shown)
        shown += bytes.fromhex(content)
    assert shown.hex(" ") == emitted.hex(" ")


def example() -> Graph:
    def constant(name: str, values: list[int] | list[list[int]], dtype: str, scale: float) -> Tensor:
        data = np.array(values, dtype)
        return Tensor(name, data.shape, dtype, Quantization.per_tensor(scale), data)

    return Graph(
        tensors=(
            Tensor("input", (1, 2), "int8", Quantization.per_tensor(0.5, -1)),
            constant("weights", [[1, 2], [3, -4], [-5, 0]], "int8", 2.0),
            constant("bias", [10, 20, -30], "int32", 1.0),
            Tensor("output", (1, 3), "int8", Quantization.per_tensor(1.0, 3)),
        ),
        operators=(Operator("FULLY_CONNECTED", (0, 1, 2), (3,), {"fused_activation_function": "RELU"}),),
        inputs=(0,),
        outputs=(3,),
    )
