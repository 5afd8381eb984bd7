"""The prompt of a MicroPython process on a terminal, as a person sees it: what is typed, and what then appears."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

PROMPT = ">>> "
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Prompt:
    """`command`, run by a shell in `folder` with this Python's scripts first on its path. Also a context manager."""

    def __init__(self, command: str, folder: Path, timeout_s: float = 60.0) -> None:
        self.timeout_s = timeout_s
        self._terminal, slave = pty.openpty()
        modes = termios.tcgetattr(slave)
        # What is typed would appear twice where it is typed before the interpreter takes the terminal over.
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        scripts = str(Path(sys.executable).parent)
        environment = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}", "TERM": "dumb"}
        self._process = subprocess.Popen(
            command, shell=True, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.greeting = self._until_prompt()

    def type(self, line: str) -> str:
        """Type one line; what appears between it and the next prompt."""
        os.write(self._terminal, line.encode() + b"\r")
        answer = self._until_prompt()
        echo, _, rest = answer.partition("\n")
        assert echo == line, f"{line!r} was echoed as {echo!r}"
        return rest

    def _until_prompt(self) -> str:
        seen = b""
        deadline_s = time.monotonic() + self.timeout_s
        while True:
            left_s = deadline_s - time.monotonic()
            if left_s < 0 or not select.select([self._terminal], [], [], left_s)[0]:
                raise TimeoutError(f"no prompt after {self.timeout_s:g} s: {seen[-400:]!r}")
            seen += os.read(self._terminal, 4096)
            text = _CONTROL.sub("", seen.decode(errors="replace")).replace("\r", "")
            if text.endswith("\n" + PROMPT):
                return text.removesuffix(PROMPT)

    def close(self) -> None:
        """End the interpreter as Ctrl-D does, or else kill it."""
        os.write(self._terminal, b"\x04")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._terminal)

    def __enter__(self) -> Prompt:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
