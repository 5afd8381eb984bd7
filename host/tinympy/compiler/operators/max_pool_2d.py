"""MAX_POOL_2D: input and output share their quantisation."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import MAX_POOL_2D
from tinympy.compiler.operators.average_pool_2d import lower_pool


def lower(lowering: Lowering) -> None:
    lower_pool(lowering, MAX_POOL_2D)
