"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CALL_ONCE: a variable is a value that stays in the arena.

What CALL_ONCE does is done by the program's initial operations.
"""

from __future__ import annotations

from tinympy.compiler.loops import straight
from tinympy.compiler.lowering import Lowering
from tinympy.model.state import variable_names


def lower_nothing(lowering: Lowering) -> None:
    """An operator that only names something."""


def lower_read(lowering: Lowering) -> None:
    """A copy, because the variable may be assigned while the value read is still in use."""
    _copy(lowering, _variable(lowering), lowering.output_value())


def lower_assign(lowering: Lowering) -> None:
    _copy(lowering, lowering.input_value(1), _variable(lowering))


def _variable(lowering: Lowering) -> int:
    return lowering.variables[variable_names(lowering.graph)[lowering.operator.inputs[0]]]


def _copy(lowering: Lowering, source: int, target: int) -> None:
    lowering.copy(straight(lowering.value_bytes[source]), source, target)
