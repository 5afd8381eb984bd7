"""The line to an Otii server: the maker's client, with an end to every wait, and what it raises as MeterError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tinympy.errors import MeterError, UsageError

PLACE = "127.0.0.1:1905"
# How long one answer may take; samples come 40 000 at a time.
_ANSWER_S = 10.0
_LICENCE_HINT = "scripting needs the Automation licence: sign in to the Otii application, and reserve one there"


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What the client raises, as MeterError."""
    from otii_tcp_client import otii_client, otii_connection, otii_exception

    try:
        yield
    except otii_client.OtiiClientException as error:
        raise MeterError("the Otii server has no free licence", _LICENCE_HINT) from error
    except otii_exception.Otii_Exception as error:
        if error.type in ("No license", "Not logged in", "License could not be reserved", "Could not login"):
            raise MeterError(f"the Otii server refuses: {error.type.lower()}", _LICENCE_HINT) from error
        raise MeterError(f"the Otii server refuses: {error.message}", "look at the Otii application") from error
    except otii_connection.DisconnectedException as error:
        raise MeterError("the Otii server is gone", "is the Otii application still running?") from error
    except TimeoutError as error:
        raise MeterError("the Otii server has fallen silent", "restart the Otii application") from error
    except OSError as error:
        raise MeterError(f"the connection to the Otii server is gone: {error}", "start it again") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MeterError(f"the Otii server answers what its client does not know: {error!r}", "update both") from error


class Bounded:
    """The client's connection, with an end to every wait: some of its calls have none.

    After a wait that ended so, answers would belong to earlier questions: nothing more is asked.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._lost: Exception | None = None
        self.close_connection = connection.close_connection

    def send_and_receive(self, request: dict[str, Any], timeout: float | None = 3.0) -> dict[str, Any]:
        if self._lost is not None:
            raise self._lost
        try:
            answer: dict[str, Any] = self._connection.send_and_receive(request, timeout or _ANSWER_S)
        except OSError as error:  # a TimeoutError is one
            self._lost = error
            raise
        return answer


def load_client() -> Any:
    try:
        from otii_tcp_client import otii_client
    except ImportError as error:
        raise MeterError("the client for Otii is not installed", "pip install 'tinympy[otii]'") from error
    return otii_client


def host_and_port(place: str) -> tuple[str, int]:
    host, colon, port = (place or PLACE).rpartition(":")
    if not colon or not port.isdigit():
        raise UsageError(f"{place} is no address of an Otii server", f"write it like otii:{PLACE}")
    return host, int(port)
