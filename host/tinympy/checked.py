"""Code for a board's raw REPL that arrives whole or is not executed, and answers that are known to be whole.

The raw REPL has no checks of its own, so a damaged line could write into the wrong file. DEFINITION gives the board a
function that executes code only if it and its number fit a CRC-32, once for each number however often it comes, and
ends the answer with a CRC-32 of what the code printed or raised.
"""

from __future__ import annotations

import re
from binascii import crc32

from .errors import raised_on_board

NAME = "_tinympy"
_DEFINED = "tinympy listens"

# One that prints while it works is not taken for silent. A replacement for crc32 is for firmware built without it.
_SOURCE = """
try:
    from binascii import crc32 as _tinympy_crc32
except ImportError:
    def _tinympy_crc32(data, crc=0):
        crc ^= 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF
def _tinympy_whole(check, code, number=0):
    if _tinympy_crc32(code, number) & 0xFFFFFFFF != check:
        raise ValueError("damaged in transfer")
    return code
_tinympy_last = None, "", ""
def _tinympy(number, check, code):
    global _tinympy_last
    from sys import stdout
    _tinympy_whole(check, code, number)
    if _tinympy_last[0] == number:
        stdout.write(_tinympy_last[1])
    else:
        # Whoever asks again because this was interrupted is told so: half of it may be done.
        _tinympy_last = number, "", "KeyboardInterrupt: it took too long"
        said = []
        def say(*values, sep=" ", end="\\n"):
            text = sep.join([str(value) for value in values]) + end
            said.append(text)
            stdout.write(text)
        error = ""
        names = globals()
        names["print"] = say
        try:
            exec(code, names)
        except Exception as reason:
            error = "%s: %s" % (type(reason).__name__, reason)
        finally:
            del names["print"]
        _tinympy_last = number, "".join(said), error
    _, said, error = _tinympy_last
    check = _tinympy_crc32(("%d\\n%s\\n%s" % (number, error, said)).encode()) & 0xFFFFFFFF
    stdout.write("\\x1e%s\\x1e%08x" % (error, check))
"""

_BYTES = _SOURCE.encode()
# Length and sum can be had of every firmware, and no single fault leaves both as they are.
DEFINITION = f"""
_tinympy_code = {_BYTES!r}
if (len(_tinympy_code), sum(_tinympy_code)) == ({len(_BYTES)}, {sum(_BYTES)}):
    exec(_tinympy_code)
    print({_DEFINED!r})
del _tinympy_code
"""

_FORGET = f"del {NAME}, {NAME}_crc32, {NAME}_last, {NAME}_whole\n"

_ANSWER = re.compile(r"(.*)\x1e([^\x1e]*)\x1e([0-9a-f]{8})", re.DOTALL)


def defined(output: str) -> bool:
    """Whether `output` is what DEFINITION prints."""
    return output.strip() == _DEFINED


def request(number: int, code: str) -> str:
    """What the board executes to execute `code` and answer; `number` tells it from other requests."""
    data = code.encode()
    return f"{NAME}({number},{crc32(data, number)},{data!r})"


def program(code: str) -> str:
    """What the board executes to forget DEFINITION and execute `code`, whose output is not checked.

    ValueError there if it is damaged.
    """
    data = (_FORGET + code).encode()
    return f"exec({NAME}_whole({crc32(data)},{data!r}))"


def output(number: int, answer: str) -> str | None:
    """What the code of request `number` printed, from all that came back; None if that was damaged.

    Raises:
        BoardError: the code raised.
    """
    match = _ANSWER.fullmatch(answer)
    if match is None:
        return None
    said, error, check = match.groups()
    if crc32(f"{number}\n{error}\n{said}".encode()) != int(check, 16):
        return None
    if error:
        raise raised_on_board(error)
    return said
