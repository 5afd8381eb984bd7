"""What can go wrong that is not a bug: one class per exit code, a message, and a hint what to do about it."""


class TinympyError(Exception):
    """A failure to report in two lines: `error: message` and `hint: hint`."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TinympyError):
    """The request itself cannot be met: a wrong option, a missing file, a model that is damaged or unsupported."""

    exit_code = 2


class ModelError(UsageError):
    """A model that cannot be compiled: damaged, or using something that the kernels do not have."""


class NoBoardError(TinympyError):
    """No board, or none that answers at the address given."""

    exit_code = 3


class BoardError(TinympyError):
    """The board answered wrongly, fell silent or disappeared."""

    exit_code = 4


class MeterError(TinympyError):
    """An energy meter is missing, out of range or lost its connection."""

    exit_code = 5


class InvalidResultError(TinympyError):
    """The measurement ran, but its result breaks a rule."""

    exit_code = 6


class InterruptedRunError(TinympyError):
    """The user pressed Ctrl-C."""

    exit_code = 130


def raised_on_board(reason: str) -> BoardError:
    """The error for an exception on the board; `reason` is the last line of its traceback."""
    if reason.startswith("MemoryError"):
        return BoardError(
            f"the board's heap is too small ({reason})", "use a smaller model, or weights in flash where it has them"
        )
    return BoardError(f"the board raised {reason}", "reset it and try again")
