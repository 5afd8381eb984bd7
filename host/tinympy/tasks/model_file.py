"""Anybody's model as a task: random inputs, so latency and memory, but no accuracy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinympy.errors import UsageError
from tinympy.signature import Signature
from tinympy.tasks.base import Sample, Task, check_limit

_SEED = 1
_NAME_CHARACTERS = 24


class ModelFile(Task):
    """The `.tflite` file at `path`.

    Raises:
        UsageError: it cannot be read, or is no model that the compiler takes.
    """

    official = False
    scored = False
    full_n = 5
    wire_input = "int8"
    wire_results = "truncated"
    caveat = "random inputs: no accuracy"

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            self._content = path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", "name a .tflite file") from error
        self.signature = Signature.read(self._content)
        self.model_file = path.name
        self.title = path.name
        # It becomes the name of files, on the board as well.
        self.name = re.sub(r"[^A-Za-z0-9_]+", "_", path.stem)[:_NAME_CHARACTERS].strip("_") or "model"
        self.wire_bytes = self.signature.inputs[0].bytes

    def missing(self) -> list[str]:
        return []

    def model(self) -> bytes:
        return self._content

    def samples(self, limit: int | None = None) -> list[Sample]:
        """Seeded uniform bytes, the same each time."""
        check_limit(limit)
        # Unlike numpy's newer generators, this one promises the same numbers in every version.
        random = np.random.RandomState(_SEED)
        count = self.full_n if limit is None else limit
        rows = random.randint(-128, 128, (count, self.signature.input_bytes), np.int8)
        return [Sample(f"random {index}", 0, row.reshape(1, -1), row.tobytes()) for index, row in enumerate(rows)]
