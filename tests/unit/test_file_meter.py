"""A recording that somebody else makes: asked for, waited for, read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tinympy.energy.meters import open_meter
from tinympy.energy.meters.file import FileMeter
from tinympy.errors import MeterError, UsageError


def test_the_user_is_asked_twice_and_the_file_is_read(tmp_path: Path) -> None:
    path, said = tmp_path / "run.csv", io.StringIO()
    path.write_text("Timestamp(ms),Current(uA)\n" + "".join(f"{k / 10:.1f},{1000 + k}.0\n" for k in range(100)))
    with FileMeter(str(path), {"trig": "none", "volts": "3.0"}, said, io.StringIO("\n\n")) as meter:
        meter.start()
        trace = meter.stop()
    assert meter.trigger is None and meter.spec == trace.spec
    np.testing.assert_allclose(trace.i[:3], [1.0e-3, 1.001e-3, 1.002e-3])
    assert trace.v == 3.0
    assert said.getvalue().splitlines() == [
        "start the recording in the meter's own program, then press Enter",
        f"stop the recording and export it to {path}, then press Enter",
    ]


def test_without_anybody_there_it_does_not_wait() -> None:
    with pytest.raises(MeterError, match="nobody"):
        FileMeter("x.csv", {}, io.StringIO(), io.StringIO("")).start()


@pytest.mark.parametrize("address", ["file:", "file:x.csv?trig=left"])
def test_an_address_that_means_nothing_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        open_meter(address)
