"""The kernels refuse an operation: every condition of every kernel's check, one violation at a time."""

from __future__ import annotations

import pytest

from damaged_network import (
    ADD,
    ARG,
    AVERAGE_POOL,
    CONSTANT,
    CONV,
    DENSE,
    DEPTHWISE,
    FILL,
    GATHER,
    LOG_SOFTMAX,
    LOOKUP,
    LSTM,
    MAX_POOL,
    NAMES,
    OPERATIONS,
    PAD,
    POINTWISE,
    PRODUCT,
    QUANTISE,
    REDUCE,
    RESIZE,
    SOFTMAX,
    SVDF,
    TRANSPOSE,
    Damage,
    constant,
    constants_left,
    damage_to,
    loops,
    network,
    operation,
    parameters,
    side,
    window,
)
from kernel_library import KernelLibrary, ProgramRefused
from program_view import ERRORS, OPCODES, ProgramView, structure
from tinympy.compiler import compile_model
from tinympy.compiler.operation import NO_TILE
from tinympy.model.write import write

BIG = 0x7FFFFFFF
LARGEST = 0xFFFFFFFF
GIB = 1 << 30
WINDOW_SIDES = [name for name, _ in structure("window")._fields_[:12]] + ["channels"]

CONSTANTS_BYTES = {
    CONV: 4 * 12 + 4 * 3 * 3 * 2,
    DEPTHWISE: 8 * 12 + 8 * 3 * 3,
    DENSE: 3 * 12 + 3 * 8,
    SOFTMAX: 32 * 4,
    CONSTANT: 12 + 2,
    ADD: 2 * 256 * 4,
    LOOKUP: 256,
    TRANSPOSE: 24,
    PAD: 12,
    GATHER: 35 * 2,
    LOG_SOFTMAX: 32 * 4,
    SVDF: 3 * 4 + 6 * (4 + 2 * 5 + 32),
    LSTM: 8 * 5 + 256 * 2 + 3 * (8 * 4 + 4 * (8 + 3)),
}
"""What each operation needs of its constants, to the byte."""

Violations = list[tuple[str, Damage]]

SHAPES: dict[int, Violations] = {
    CONV: [
        *((f"no {name}", window(CONV, **{name: 0})) for name in WINDOW_SIDES),
        ("channels behind the last", window(CONV, first_channel=1)),
        ("windows behind the input's end", window(CONV, output_height=6)),
        ("windows beside the input", window(CONV, stride_width=2)),
        ("kernel that reaches too far", window(CONV, kernel_height=0xFFFF, dilation_height=0xFFFF)),
        ("filters of no depth", window(CONV, depth=0)),
        ("filters deeper than the input", window(CONV, depth=3)),
        ("filters that begin behind the last channel", window(CONV, first_input_channel=1)),
    ],
    POINTWISE: [("padding", window(POINTWISE, pad_top=1)), ("padding", window(POINTWISE, pad_left=1))],
    DEPTHWISE: [
        ("no outputs of an input channel", window(DEPTHWISE, depth=0)),
        ("more outputs than channels", window(DEPTHWISE, depth=3)),
        ("a block of several outputs of a channel", operation(DEPTHWISE, block=1)),
    ],
    AVERAGE_POOL: [
        ("other channels", window(AVERAGE_POOL, input_channels=4)),
        ("dilation", window(AVERAGE_POOL, dilation_height=2)),
        ("dilation", window(AVERAGE_POOL, dilation_width=2)),
        ("more positions than a sum can hold", window(AVERAGE_POOL, input_height=4096, input_width=2049)),
    ],
    MAX_POOL: [
        ("other channels", window(MAX_POOL, input_channels=4)),
        ("dilation", window(MAX_POOL, dilation_height=2)),
        ("dilation", window(MAX_POOL, dilation_width=2)),
    ],
    DENSE: [
        *(
            (f"no {name}", parameters(DENSE, "fully_connected", **{name: 0}))
            for name in ("batches", "inputs", "channels")
        ),
        ("outputs behind the last", parameters(DENSE, "fully_connected", first_channel=LARGEST)),
    ],
    SOFTMAX: [
        *((f"no {name}", parameters(SOFTMAX, "softmax", **{name: 0})) for name in ("rows", "depth", "exponentials")),
        *((f"outputs of {n} bytes", parameters(SOFTMAX, "softmax", output_bytes=n)) for n in (0, 3)),
        ("more classes than a sum can hold", parameters(SOFTMAX, "softmax", depth=4096)),
        ("more exponentials than distances", parameters(SOFTMAX, "softmax", exponentials=257)),
    ],
    LOG_SOFTMAX: [("no rows", parameters(LOG_SOFTMAX, "log_softmax", rows=0))],
    ADD: [
        *((f"no side {dimension}", side(dimension)) for dimension in range(6)),
        ("unknown kind", parameters(ADD, "elementwise", kind=5)),
    ],
    REDUCE: [
        *((f"no {name}", parameters(REDUCE, "reduce", **{name: 0})) for name in ("outer", "reduced", "inner")),
        ("more elements than a sum can hold", parameters(REDUCE, "reduce", reduced=(1 << 23) + 1)),
        ("unknown kind", parameters(REDUCE, "reduce", kind=3)),
    ],
    TRANSPOSE: [
        ("no loops", parameters(TRANSPOSE, "copy", loops=0)),
        ("more loops than places for their counts", parameters(TRANSPOSE, "copy", loops=9)),
        ("no element", parameters(TRANSPOSE, "copy", element_bytes=0)),
        ("a count of 0", loops(TRANSPOSE, (1, 1, 1), (0, 1, 1))),
        ("endless work in one place", loops(TRANSPOSE, (LARGEST, 0, 0))),
        ("work of 2^32 bytes", loops(TRANSPOSE, (1 << 16, 0, 0), (1 << 16, 0, 0))),
    ],
    GATHER: [
        *(
            (f"no {name}", parameters(GATHER, "gather", **{name: 0}))
            for name in ("outer", "blocks", "block_bytes", "indices")
        ),
    ],
    SVDF: [
        *((f"no {name}", parameters(SVDF, "svdf", **{name: 0})) for name in ("inputs", "rank", "memory", "channels")),
        ("units behind the last", parameters(SVDF, "svdf", first_channel=1)),
        ("numbers of three bytes", parameters(SVDF, "svdf", state_bytes=3)),
    ],
    LSTM: [
        *((f"no {name}", parameters(LSTM, "lstm", **{name: 0})) for name in ("steps", "inputs", "units", "channels")),
        ("units behind the last", parameters(LSTM, "lstm", first_channel=1)),
        ("several steps of some units", parameters(LSTM, "lstm", channels=2)),
    ],
    QUANTISE: [
        (f"{which} of {n} bytes", parameters(QUANTISE, "quantise", **{f"{which}_bytes": n}))
        for which in ("input", "output")
        for n in (0, 3, 5)
    ],
    PRODUCT: [
        (f"no {name}", parameters(PRODUCT, "batch_matmul", **{name: 0})) for name in ("rows", "depth", "columns")
    ],
    ARG: [
        *((f"no {name}", parameters(ARG, "arg", **{name: 0})) for name in ("outer", "depth", "inner")),
        ("unknown kind", parameters(ARG, "arg", kind=2)),
    ],
    RESIZE: [
        *(
            (f"no {name}", parameters(RESIZE, "resize_bilinear", **{name: 0}))
            for name in ("input_height", "input_width", "output_height", "output_width", "channels")
        ),
        *(
            (f"{name} is {value}", parameters(RESIZE, "resize_bilinear", **{name: value}))
            for axis, reach in (("row", 4 * 1024 // 6), ("column", 1024))
            for name, value in (
                *((f"{axis}_step", reach + 1), (f"{axis}_step", LARGEST)),
                *((f"{axis}_origin", -1024), (f"{axis}_origin", 1024), (f"{axis}_origin", BIG)),
            )
        ),
        ("positions beyond 2^29", parameters(RESIZE, "resize_bilinear", output_height=0xFFFF, row_step=1 << 16)),
    ],
}

ACTIVATIONS: dict[int, Violations] = {
    **{
        index: [
            ("input behind the arena", operation(index, input=BIG)),
            ("output behind it", operation(index, output=BIG)),
        ]
        for index in OPERATIONS
        if index not in (*range(3), CONSTANT, FILL)
    },
    **{index: [("output behind the arena", operation(index, output=LARGEST))] for index in (0, CONSTANT, FILL)},
}
ACTIVATIONS[CONV] += [
    ("input larger than 4 GiB", window(CONV, input_height=0xFFFF, input_width=0xFFFF)),
    ("unaligned scratch", operation(CONV, scratch=2)),
    ("scratch behind the arena", operation(CONV, scratch=BIG)),
]
ACTIVATIONS[DEPTHWISE] += [
    ("unaligned scratch", operation(DEPTHWISE, scratch=2)),
    ("scratch behind the arena", operation(DEPTHWISE, scratch=BIG - 3)),
]
ACTIVATIONS[DENSE].append(("input larger than 4 GiB", parameters(DENSE, "fully_connected", batches=BIG)))
ACTIVATIONS[DENSE] += [
    ("unaligned scratch", operation(DENSE, scratch=2)),
    ("scratch behind the arena", operation(DENSE, scratch=BIG)),
]
ACTIVATIONS[SOFTMAX].append(("input larger than the arena", parameters(SOFTMAX, "softmax", rows=BIG)))
ACTIVATIONS[ADD].append(("second input behind the arena", parameters(ADD, "elementwise", input2=BIG)))
ACTIVATIONS[LOOKUP].append(("larger than the arena", parameters(LOOKUP, "lookup", bytes=LARGEST)))
ACTIVATIONS[SOFTMAX].append(("wide output behind the arena", parameters(SOFTMAX, "softmax", rows=200, output_bytes=2)))
ACTIVATIONS[QUANTISE] += [
    ("unaligned output", operation(QUANTISE, output=2)),
    ("larger than 4 GiB", parameters(QUANTISE, "quantise", elements=LARGEST)),
]
ACTIVATIONS[PRODUCT] += [
    ("second input behind the arena", parameters(PRODUCT, "batch_matmul", input2=BIG)),
    ("input larger than 4 GiB", parameters(PRODUCT, "batch_matmul", rows=BIG)),
]
ACTIVATIONS[ARG] += [
    ("unaligned output", operation(ARG, output=2)),
    ("input larger than the arena", parameters(ARG, "arg", depth=1 << 16)),
]
ACTIVATIONS[REDUCE] += [
    ("input larger than 4 GiB", parameters(REDUCE, "reduce", outer=1 << 16, inner=1 << 16)),
    ("input larger than the arena", parameters(REDUCE, "reduce", reduced=1 << 23)),
]
ACTIVATIONS[TRANSPOSE] += [
    ("input before the arena", loops(TRANSPOSE, (2, -BIG, 1))),
    ("output before the arena", loops(TRANSPOSE, (2, 1, -BIG))),
    ("input of the lowest stride", loops(TRANSPOSE, (2, -BIG - 1, 1))),
    ("output a little before the arena", loops(TRANSPOSE, (400, 0, -2))),
    ("input a little behind the arena", loops(TRANSPOSE, (400, 2, 0))),
    ("input reached by steps that add up to 2^32", loops(TRANSPOSE, *[(2, GIB, 0)] * 4)),
    ("output reached by steps that add up to 2^32", loops(TRANSPOSE, *[(2, 0, GIB)] * 4)),
    ("last element beyond the arena", loops(TRANSPOSE, (1, 0, 0), element_bytes=400)),
]
ACTIVATIONS[FILL].append(("larger than the arena", parameters(FILL, "fill", bytes=LARGEST)))
ACTIVATIONS[GATHER] += [
    ("input larger than 4 GiB", parameters(GATHER, "gather", outer=BIG)),
    ("output larger than the arena", parameters(GATHER, "gather", outer=12)),
]
ACTIVATIONS[SVDF] += [
    ("state behind the arena", parameters(SVDF, "svdf", state=BIG - 1)),
    ("unaligned state", parameters(SVDF, "svdf", state=1)),
    ("state larger than 4 GiB", parameters(SVDF, "svdf", memory=BIG)),
]
ACTIVATIONS[LSTM] += [
    ("steps that end behind the arena", parameters(LSTM, "lstm", input_stride=BIG)),
    ("steps that end behind the arena", parameters(LSTM, "lstm", input_stride=130)),
    ("outputs that end behind the arena", parameters(LSTM, "lstm", output_stride=BIG)),
    ("outputs that end behind the arena", parameters(LSTM, "lstm", output_stride=1000)),
    ("hidden state behind the arena", parameters(LSTM, "lstm", hidden=BIG)),
    ("cell state behind the arena", parameters(LSTM, "lstm", cell=BIG - 1)),
    ("unaligned cell state", parameters(LSTM, "lstm", cell=1)),
]

CONSTANTS: dict[int, Violations] = {
    index: [
        ("no such tile", operation(index, tile=1)),
        ("no tile", operation(index, tile=NO_TILE)),
        ("constants behind their tile", operation(index, constants=BIG - 3)),
        ("unaligned constants", operation(index, constants=2)),
        ("half of them behind their tile", constants_left(index, needed // 2)),
        ("the last byte behind their tile", constants_left(index, needed - 1)),
    ]
    for index, needed in CONSTANTS_BYTES.items()
}
CONSTANTS[DENSE] += [
    ("multipliers behind their tile", constants_left(DENSE, 12)),
    ("scaling behind their tile", constants_left(DENSE, 24)),
]
CONSTANTS[DEPTHWISE].append(("more taps than weights", window(DEPTHWISE, kernel_width=4000)))
# What is found in the place of its loops are other loops.
CONSTANTS[CONSTANT].pop()
CONSTANTS[CONSTANT] += [
    ("behind the loops not enough", operation(CONSTANT, input=BIG)),
    ("before the loops", loops(CONSTANT, (2, -1, 0))),
]
CONSTANTS[SVDF].append(("room for filters, but not for units", constants_left(SVDF, 6 * (4 + 2 * 5 + 32))))
CONSTANTS[LSTM].append(("half of the table behind their tile", constants_left(LSTM, 8 * 5 + 256)))

VALUES: dict[int, Violations] = {
    CONV: [
        *((f"{name} beyond int8", window(CONV, **{name: 128})) for name in ("input_zero_point", "output_max")),
        *((f"{name} beyond int8", window(CONV, **{name: -129})) for name in ("output_zero_point", "output_min")),
        ("negative multiplier", constant(CONV, 4 * 4, -1, 4)),
        ("right shift beyond 31", constant(CONV, 8 * 4, -32, 1)),
        ("left shift beyond 30", constant(CONV, 8 * 4 + 4 * 3, 31, 1)),
        *((f"{taps} taps at a time", constant(CONV, 8 * 4 + 1, 16 * taps, 1)) for taps in (1, 3, 6)),
        *((f"a fraction of {bits} bits", constant(CONV, 8 * 4 + 2, bits, 1)) for bits in (8, 23)),
        ("a product shortened by nothing", constant(CONV, 8 * 4, 22 << 16 | 15 << 8, 3)),
    ],
    DENSE: [
        (f"{name} beyond int8", parameters(DENSE, "fully_connected", **{name: value}))
        for name, value in (("output_zero_point", 128), ("output_min", -129), ("output_max", 128))
    ],
    ADD: [
        (f"{name} is {value}", parameters(ADD, "elementwise", **{name: value}))
        for name, value in (
            *((name, 128) for name in ("zero_point1", "zero_point2", "output_zero_point", "output_max")),
            *((name, -129) for name in ("zero_point1", "zero_point2", "output_zero_point", "output_min")),
            *((name, -1) for name in ("multiplier1", "multiplier2")),
            *((name, value) for name in ("shift1", "shift2") for value in (-32, 31)),
            *(("packing", 16), ("fraction", 8), ("fraction", 23)),
        )
    ],
    REDUCE: [
        (f"{name} is {value}", parameters(REDUCE, "reduce", **{name: value}))
        for name, value in (("multiplier", -1), ("shift", -32), ("shift", 31), ("output_zero_point", 128))
    ],
    PRODUCT: [
        (f"{name} is {value}", parameters(PRODUCT, "batch_matmul", **{name: value}))
        for name, value in (*(("multiplier", -1), ("shift", -32), ("shift", 31)), ("output_zero_point", 128))
    ],
    QUANTISE: [
        (f"{name} is {value}", parameters(QUANTISE, "quantise", **{name: value}))
        for name, value in (("multiplier", -1), ("shift", -32), ("shift", 31))
    ],
    GATHER: [("an index behind the last block", constant(GATHER, 2 * 34, 16, 2))],
    LOG_SOFTMAX: [
        (f"{name} is {value}", parameters(LOG_SOFTMAX, "log_softmax", **{name: value}))
        for name, value in (
            *(("multiplier", -1), ("shift", -1), ("shift", 32)),
            *(("inverse_multiplier", -1), ("inverse_shift", -32), ("inverse_shift", 1)),
        )
    ],
    SVDF: [
        (f"{which}_{name} is {value}", parameters(SVDF, "svdf", **{f"{which}_{name}": value}))
        for which in ("state", "output")
        for name, value in (("multiplier", -1), ("shift", -32), ("shift", 31))
    ],
    LSTM: [
        *(
            (f"{which}_{name} is {value}", parameters(LSTM, "lstm", **{f"{which}_{name}": value}))
            for which in ("input", "hidden")
            for name, value in (("multiplier", -1), ("shift", -32), ("shift", 31))
        ),
        ("cell_exponent is -43", parameters(LSTM, "lstm", cell_exponent=-43)),
        ("cell_exponent is 3", parameters(LSTM, "lstm", cell_exponent=3)),
        ("negative multiplier of a gate", constant(LSTM, 4 * 7, -1, 4)),
        ("right shift of a gate beyond 31", constant(LSTM, 4 * 8, -32, 1)),
        ("left shift of a gate beyond 30", constant(LSTM, 4 * 8 + 7, 31, 1)),
    ],
}

OPCODE: dict[int, Violations] = {
    CONV: [("none", operation(CONV, opcode=0))],
    LSTM: [("an unknown one", operation(LSTM, opcode=max(OPCODES.values()) + 1))],
}

VIOLATIONS = [
    pytest.param(error, index, damage, id=f"{error}: {NAMES[index]}: {text}")
    for error, by_operation in (
        ("OPCODE", OPCODE),
        ("SHAPE", SHAPES),
        ("ACTIVATIONS", ACTIVATIONS),
        ("CONSTANTS", CONSTANTS),
        ("VALUE", VALUES),
    )
    for index, violations in by_operation.items()
    for text, damage in violations
]


@pytest.fixture(scope="module")
def library() -> KernelLibrary:
    return KernelLibrary("sanitized")


@pytest.fixture(scope="module")
def program() -> bytes:
    return compile_model(write(network())).program


def test_the_program_itself_runs_and_has_an_operation_of_every_kernel(library: KernelLibrary, program: bytes) -> None:
    loaded = library.load(program)
    loaded.run()
    assert {operation.opcode for operation in loaded.view.operations} == set(OPCODES.values())
    assert loaded.view.header.initial_operations == 3
    assert loaded.view.operations[CONSTANT].copy.from_constants


@pytest.mark.parametrize(("error", "index", "damage"), VIOLATIONS)
def test_an_operation_is_refused_for(
    library: KernelLibrary, program: bytes, error: str, index: int, damage: Damage
) -> None:
    with pytest.raises(ProgramRefused, match=f"^-{ERRORS[error] + 256 * index}$"):
        library.load(damage_to(program, damage))


@pytest.mark.parametrize("index", set(CONSTANTS_BYTES) - {CONSTANT})
def test_constants_may_end_with_their_tile(library: KernelLibrary, program: bytes, index: int) -> None:
    """What an operation needs is known to the byte: with just that much, only the numbers found there are refused."""
    view, refusal = ProgramView(program), 0
    constants_left(index, CONSTANTS_BYTES[index] + 3)(view)
    try:
        library.load(bytes(view))
    except ProgramRefused as error:
        refusal = -int(str(error)) - 256 * index
    assert refusal != ERRORS["CONSTANTS"]


def test_state_as_wide_as_a_byte_may_lie_anywhere(library: KernelLibrary, program: bytes) -> None:
    library.load(damage_to(program, parameters(SVDF, "svdf", state=1, state_bytes=1)))


def test_every_reason_has_a_test() -> None:
    assert {error for violation in VIOLATIONS for error in violation.values[:1]} == {
        name for name, code in ERRORS.items() if code >= ERRORS["OPCODE"]
    }
