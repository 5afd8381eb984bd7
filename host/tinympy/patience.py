"""How long a board may take for an inference, and what takes longer than anybody would wait for."""

from __future__ import annotations

from tinympy.compiler import Compiled
from tinympy.dut import WINDOW_LIMIT_S
from tinympy.engines import ENGINES
from tinympy.errors import UsageError
from tinympy.inspection.work import total_macs

LONGEST_S = 3600.0
"""What would take longer is refused."""
_SLACK_S = 1.6


def inference_s(compiled: Compiled, engine: str) -> float:
    """Seconds that no board that is worth measuring takes for an inference, or for a layer of one."""
    return ENGINES[engine].mac_s * total_macs(compiled.graph)


def timeout_s(inferences: int, latency_s: float) -> float:
    """Seconds to wait for so many inferences."""
    return min(WINDOW_LIMIT_S, _SLACK_S + 2 * inferences * latency_s)


def require(expected_s: float, what: str, why: str, hint: str) -> None:
    """UsageError where `what` is expected to take longer than LONGEST_S, with how long and why."""
    if expected_s > LONGEST_S:
        raise UsageError(f"{what} would take {expected_s / 3600:.1f} h: {why}", hint)
