"""How the public runner is configured: identities and windows."""

import pytest
import yaml

from tinympy import runner
from tinympy.errors import UsageError


def clock(latency_us):
    """A window on a board of this speed."""
    return lambda n, warmup: round(n * latency_us)


def test_a_board_is_known_by_its_identity_and_its_name():
    [device] = yaml.safe_load(runner.devices_yaml("/dev/ttyACM0", "2e8a:0005"))
    assert device["usb"] == {0x2E8A: [0x0005]} and device["check_name"] == "tinympy"
    assert device["type"] == "dut" and device["baud"]["accuracy"] == device["baud"]["performance"] == 115200


def test_in_energy_mode_the_board_is_reached_through_the_interface_board():
    devices = yaml.safe_load(runner.devices_yaml("/dev/ttyACM0", "2e8a:0005", energy=True))
    assert [device["type"] for device in devices] == ["dut", "interface", "power", "power"]
    assert "usb" not in devices[0] and devices[0]["baud"]["energy"] == 9600
    # The runner takes the interface board for one that can change its rate by this name.
    assert devices[1]["name"] == "stm32h573i-dk"


@pytest.mark.parametrize(
    ("latency_us", "n", "warmup"),
    [(540, 20371, 10), (700_000, 16, 10), (10_999_999, 2, 2), (12_000_000, 1, 2), (27_900_000, 1, 1)],
)
def test_windows_take_more_than_10_s_and_no_answer_30_s(latency_us, n, warmup):
    windows = runner.calibrate("kws01", clock(latency_us))
    assert (windows.n, windows.warmup) == (n, warmup)
    assert 10 < windows.n * latency_us / 1e6 < 30 and windows.warmup * latency_us / 1e6 < 30


def test_the_fastest_calibration_counts():
    times = iter([1_000_000, 600_000, 700_000])
    assert runner.calibrate("ic01", lambda n, warmup: next(times)).latency_s == 0.6


def test_an_inference_that_is_too_slow_for_the_runner_is_refused():
    with pytest.raises(UsageError, match="29 s, and the public runner waits 30 s"):
        runner.calibrate("ic01", clock(29_000_000))


def test_energy_windows_have_the_warm_ups_of_the_runners_own_file():
    assert runner.calibrate("ad01", clock(10_000), energy=True).warmup == 0
    assert runner.calibrate("ad01", clock(10_000)).warmup == 10


@pytest.mark.parametrize("task", ["kws01", "ic01", "vww01", "ad01"])
def test_a_test_file_has_five_windows(task):
    [(name, test)] = yaml.safe_load(runner.tests_yaml(task, runner.Windows(70, 10, 0.2))).items()
    assert name == task == test["model"]
    assert test["script"] == [{"loop 5": ["download", "infer 70 10"]}]


def test_the_large_network_takes_the_images_of_the_small_one():
    assert yaml.safe_load(runner.tests_yaml("ic02", runner.Windows(7, 5, 2.0)))["ic02"]["model"] == "ic01"
