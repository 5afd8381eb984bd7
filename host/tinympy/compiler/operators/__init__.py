"""One file an operator: how it becomes kernel calls. `LOWERINGS` is the list of what the compiler knows."""

from collections.abc import Callable

from tinympy.compiler.lower import Lowering
from tinympy.compiler.operators import (
    average_pool_2d,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    reshape,
    softmax,
)

LOWERINGS: dict[str, Callable[[Lowering], None]] = {
    "AVERAGE_POOL_2D": average_pool_2d.lower,
    "CONV_2D": conv_2d.lower,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d.lower,
    "FULLY_CONNECTED": fully_connected.lower,
    "RESHAPE": reshape.lower,
    "SOFTMAX": softmax.lower,
}
