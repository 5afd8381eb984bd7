"""Other people's clients of the Power Profiler Kit II, PyPI's ppk2-api and ppk2lab, with our emulated instrument.

They agree with our decoder on the same bytes, away from changes of range, where the first one has a filter of its own.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from tinympy.energy.emulated import Emulator, launch
from tinympy.energy.meters import ppk2_decode as decode
from tinympy.energy.meters.ppk2_timeline import timeline

VOLTS = 3.3


def ours(raw: bytes, reply: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A, inputs, ranges."""
    words = timeline([(0.0, raw)]).words
    table = decode.read_calibration(reply).table(VOLTS)
    return decode.currents(words, table), decode.inputs(words), decode.ranges(words)


def reply_of(emulator: Emulator) -> bytes:
    """The emulated instrument's calibration as it sends it."""
    from tinympy.energy.meters.line import Line

    line = Line(emulator.address)
    line.write(b"\x19")
    assert line.wait(decode.is_whole, 2.0)
    reply = line.text()
    line.close()
    return reply


def test_ppk2_api() -> None:
    ppk2_api = pytest.importorskip("ppk2_api.ppk2_api", reason="PyPI ppk2-api is not installed")
    with launch("ppk2", {"idle": "0.002", "active": "0.080"}) as emulator:
        reply = reply_of(emulator)
        client = ppk2_api.PPK2_API(emulator.address, timeout=1, write_timeout=1)
        assert client.get_modifiers()
        client.use_source_meter()
        client.set_source_voltage(int(VOLTS * 1000))
        client.toggle_DUT_power("ON")
        client.start_measuring()
        raw, samples, bits = b"", [], []
        for level in (False, True, False):
            emulator.set_trigger(level)
            end = time.monotonic() + 10
            while bits[-5000:] != [int(level)] * 5000 and time.monotonic() < end:
                piece = client.get_data()
                if piece:
                    got, seen = client.get_samples(piece)
                    raw, samples, bits = raw + piece, samples + got, bits + seen
                time.sleep(0.005)
        client.stop_measuring()
        client.ser.close()
    current, inputs, which = ours(raw, reply)
    current, inputs, which = (each[: len(samples)] for each in (current, inputs, which))
    assert inputs.tolist() == bits
    assert set(inputs) == {0, 1} and set(which) == {2, 4}
    # Its filter takes three samples from each change on.
    away = ~decode.near_switches(which, 4)
    assert np.count_nonzero(~away) == 8
    assert np.abs(np.array(samples) * 1e-6 - current)[away].max() < 1e-12


def test_ppk2lab() -> None:
    ppk2lab = pytest.importorskip("ppk2lab", reason="PyPI ppk2lab is not installed")
    from ppk2lab.transport.serial import SerialTransport

    read: list[bytes] = []

    class Listening(SerialTransport):
        def read(self, max_bytes: int, timeout_s: float = 0.1) -> bytes:
            data = super().read(max_bytes, timeout_s)
            read.append(data)
            return data

    with launch("ppk2", {"idle": "0.002", "active": "0.080", "lost": "0.01", "burst": "700"}) as emulator:
        reply = reply_of(emulator)
        with ppk2lab.PPK2.open(transport=Listening(emulator.address)) as device:
            assert not device.metadata.missing_cal_ranges() and device.metadata.terminated
            device.set_mode(ppk2lab.Mode.SOURCE)
            device.set_source_voltage_mv(int(VOLTS * 1000))
            device.set_dut_power(True)
            emulator.set_trigger(True)
            read.clear()
            blocks, gaps = [], []
            for event in device.stream(sample_limit=30_000):
                (gaps if hasattr(event, "missing") else blocks).append(event)
            theirs = np.concatenate([device.calibration.convert_block(block) for block in blocks])
            places = np.concatenate([np.arange(block.start_index, block.end_index) for block in blocks])
    current, _, _ = ours(b"".join(read), reply)
    current = current[: theirs.size]
    # Every range switch and every spike is as it was sent, so all of it agrees.
    assert theirs.size > 10_000
    assert np.abs(theirs * 1e-6 - current).max() < 1e-12
    words = timeline([(0.0, b"".join(read))])
    assert np.array_equal(
        words.index[: theirs.size], places
    )  # without times of arrival, a gap is what its counter says
    assert [gap.missing for gap in gaps] == [700 % 64] * len(gaps)
