"""Boards behind another computer's serial server: pyserial's socket:// and rfc2217:// on the loopback interface."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from serial import rfc2217

import disturbed
from tinympy import session, transport
from tinympy.boards.unix import UnixBoard
from tinympy.errors import NoBoardError


class Terminal(serial.Serial):
    """A pseudo-terminal as a serial port: it has none of the lines beside the data."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        """It has no DTR."""

    def _update_rts_state(self) -> None:
        """It has no RTS."""


class SerialServer:
    """A TCP server that hands one client after the other the serial port `path`, as ser2net does."""

    def __init__(self, path: str, with_rfc2217: bool) -> None:
        self._path = path
        self._with_rfc2217 = with_rfc2217
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.number: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, Terminal(self._path, 115200, timeout=0.05) as port, contextlib.suppress(OSError):
                self._carry(client, port)

    def _carry(self, client: socket.socket, port: serial.Serial) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        manager = rfc2217.PortManager(port, _Connection(client)) if self._with_rfc2217 else None
        over = threading.Event()

        def to_client() -> None:
            with contextlib.suppress(OSError):  # the client is gone
                while not over.is_set():
                    data = port.read(port.in_waiting or 1)
                    if data:
                        client.sendall(b"".join(manager.escape(data)) if manager else data)

        reader = threading.Thread(target=to_client, daemon=True)
        reader.start()
        try:
            while data := client.recv(4096):
                port.write(b"".join(manager.filter(data)) if manager else data)
        finally:
            over.set()
            reader.join()


class _Connection:
    def __init__(self, client: socket.socket) -> None:
        self.write: Callable[[bytes], None] = client.sendall


@pytest.fixture
def board() -> Iterator[UnixBoard]:
    with UnixBoard() as board:
        yield board


class Remote:
    """A board as boards.Launched whose port is that of a server."""

    def __init__(self, board: UnixBoard, port: str) -> None:
        self.port = port
        self.interrupt = board.interrupt

    def stop(self) -> None:
        """Nothing: the board belongs to the test."""


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_remote_board_is_measured_like_a_local_one(board: UnixBoard, scheme: str, tmp_path: Path) -> None:
    server = SerialServer(board.port, scheme == "rfc2217")
    port = f"{scheme}://127.0.0.1:{server.number}"
    local = disturbed.job(tmp_path)
    remote = replace(local, board=replace(local.board, launch=lambda *_: Remote(board, port)))
    expected = session.run(local, lambda _: None, lambda *_: None)
    for _ in range(2):
        record = session.run(remote, lambda _: None, lambda *_: None)
        assert record.status == "complete" and len(record.windows) == 5
        assert record.board.port == port
        assert record.accuracy is not None and expected.accuracy is not None
        assert record.accuracy.outputs_sha256 == expected.accuracy.outputs_sha256
    server.close()


def unused_number() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_where_nothing_listens_the_error_says_so(scheme: str) -> None:
    with pytest.raises(NoBoardError) as error:
        transport.open(f"{scheme}://127.0.0.1:{unused_number()}")
    assert "nothing listens at port" in error.value.hint


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_computer_that_does_not_exist_is_named(scheme: str) -> None:
    with pytest.raises(NoBoardError) as error:
        transport.open(f"{scheme}://no-such-computer.invalid:2217")
    assert "there is no computer called no-such-computer.invalid" in error.value.hint


@pytest.mark.parametrize(
    "address", ["socket://", "socket://host", "http://host:80", "rfc2217://host:x", "socket://[:1"]
)
def test_a_wrong_address_is_told_how_addresses_are_written(address: str) -> None:
    with pytest.raises(NoBoardError) as error:
        transport.open(address)
    assert "addresses are like socket://host:2217" in error.value.hint


def test_a_server_that_ends_is_a_board_that_disappeared(board: UnixBoard, tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "client, _ = listener.accept()\n"
        "client.recv(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        number = int(server.stdout.readline())
        with pytest.raises(NoBoardError, match="disappeared"):
            transport.open(f"socket://127.0.0.1:{number}")
