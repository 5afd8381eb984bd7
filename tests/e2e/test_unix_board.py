"""The real interpreter behind the real transport: exchanges, rates, and what happens when something breaks."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from tinympy.device import wire

import faulty_line
from faulty_line import FaultyLine
from tinympy import boards, files, transport
from tinympy.boards.unix import UnixBoard
from tinympy.dut import Dut
from tinympy.errors import BoardError, NoBoardError, UsageError

REPOSITORY = Path(__file__).parents[2]
SAMPLE = bytes(range(256)) + bytes(234)
OUTPUT = SAMPLE[:-13:-1]
SERVE = "from tinympy.toy_model import ToyModel\nfrom tinympy import dut\ndut.serve(ToyModel(490, {sleep_s}))\n"
# No hang may be longer; where everything is idle they end in half of that.
PATIENCE_S = 10.0


def device_files():
    sources = {path.name: path.read_bytes() for path in (REPOSITORY / "device/tinympy").glob("*.py")}
    return sources | {"toy_model.py": (Path(__file__).parent / "toy_model.py").read_bytes()}


def connected(port, interrupt=None, sleep_s=0.0, timeout_s=1.0):
    link = transport.open(port, interrupt)
    files.write(link, files.differences(link, "/lib", device_files()))
    link.start(SERVE.format(sleep_s=sleep_s))
    dut = Dut(link, timeout_s)
    dut.wait_ready()
    return link, dut


@pytest.fixture
def board():
    with UnixBoard() as board:
        yield board


@pytest.fixture
def served(board):
    link, dut = connected(board.port, board.interrupt)
    yield link, dut
    link.close()


class Stopwatch:
    def __enter__(self):
        self._start_s = time.monotonic()
        return self

    def __exit__(self, *_):
        self.elapsed_s = time.monotonic() - self._start_s


# The board and its files


def test_the_registry_launches_the_board_it_names():
    board = boards.get("unix")
    launched = board.launch(board, {})
    try:
        with transport.open(launched.port) as link:
            assert link.exec("print(6 * 7)") == "42\n"
    finally:
        launched.stop()


def test_an_unknown_board_is_an_error_that_names_the_known_ones():
    with pytest.raises(UsageError) as error:
        boards.get("arduino")
    assert "unix" in error.value.hint


def test_paths_on_the_board_are_those_of_a_real_one(board):
    with transport.open(board.port) as link:
        files.send(link, "open('/lib/answer.py', 'wb')", b"value = 42\n")
        assert link.exec("import answer; print(answer.value, answer.__file__)") == "42 /lib/answer.py\n"
    assert (board.root / "lib/answer.py").read_bytes() == b"value = 42\n"


def test_heap_size_can_be_chosen():
    with UnixBoard(heap_bytes=300_000) as board, transport.open(board.port) as link:
        assert 200_000 < int(link.exec("import gc; print(gc.mem_free())")) < 300_000


def test_what_the_board_raises_is_reported_in_one_line(board):
    with transport.open(board.port) as link:
        with pytest.raises(BoardError, match="ZeroDivisionError"):
            link.exec("1 // 0")
        assert link.exec("print('still here')") == "still here\n"


def test_no_such_port_is_told_from_a_port_in_use(board):
    with pytest.raises(NoBoardError) as error:
        transport.open("/dev/no-such-port")
    assert "plugged in" in error.value.hint
    with transport.open(board.port), pytest.raises(NoBoardError) as error:
        transport.open(board.port)
    assert "other program" in error.value.hint


def test_the_interpreter_ends_when_the_process_that_started_it_is_killed(tmp_path):
    code = "from tinympy.boards.unix import UnixBoard; board = UnixBoard(); print(board.pid, flush=True); input()"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    with parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline_s = time.monotonic() + 5
    while alive(child):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


# Exchanges


def test_samples_windows_and_text_commands_take_turns(served):
    _, dut = served
    assert dut.command("name") == ["m-name-dut-[tinympy]"]
    assert dut.infer_sample(SAMPLE)[0] == OUTPUT
    assert dut.window(20, 2, 5.0) > 0
    assert dut.read_output() == OUTPUT
    info = dut.info()
    assert (info.implementation, info.input_bytes, info.output_bytes) == ("micropython", 490, 12)
    assert info.heap_free_bytes > 1_000_000
    assert info.mpy & 0xFF == 6


def test_every_byte_value_passes_in_both_directions(served):
    _, dut = served
    for value in range(256):
        sample = bytes([value]) * 490
        assert dut.infer_sample(sample)[0] == bytes([value]) * 12


def test_a_window_is_as_long_as_its_inferences(board):
    link, dut = connected(board.port, board.interrupt, sleep_s=0.01)
    with link:
        dut.load_input(SAMPLE)
        assert 200_000 <= dut.window(20, 0, 5.0) < 400_000


def test_2000_samples_of_490_bytes_a_second(served):
    _, dut = served
    random_ = random.Random(1)
    samples = [random_.randbytes(490) for _ in range(1000)]
    rates_hz = []
    for _ in range(5):  # the best of them: other programs take their share of the processor
        with Stopwatch() as watch:
            outputs = [dut.infer_sample(sample)[0] for sample in samples]
        assert outputs == [sample[:-13:-1] for sample in samples]
        rates_hz.append(len(samples) / watch.elapsed_s)
    print("samples/s:", *(f"{rate_hz:.0f}" for rate_hz in rates_hz))
    assert max(rates_hz) >= 2000


def test_the_port_can_be_closed_and_opened_while_the_board_serves(board):
    link, dut = connected(board.port)
    dut.load_input(SAMPLE)
    link.detach()
    for _ in range(2):
        with serial.Serial(board.port, 115200, timeout=2) as port:
            port.write(b"name%")
            assert port.read_until(b"m-ready\r\n") == b"m-name-dut-[tinympy]\r\nm-ready\r\n"
    with transport.open(board.port) as link:
        assert link.exec("print(1)") == "1\n"


# Leaving


def test_exit_leads_back_to_the_prompt(served):
    link, dut = served
    dut.close()
    with Stopwatch() as watch:
        link.leave()
    assert watch.elapsed_s < 4.0
    assert link.exec("print(1 + 1)") == "2\n"


def test_leaving_interrupts_a_long_window(board):
    link, dut = connected(board.port, board.interrupt, sleep_s=0.05)
    with link:
        dut.load_input(SAMPLE)
        link.write(b"infer 1000 0%")
        time.sleep(0.2)
        with Stopwatch() as watch:
            link.leave()
        assert watch.elapsed_s < PATIENCE_S
        assert link.exec("print(1 + 1)") == "2\n"


@pytest.mark.parametrize("cut", [1, 5, 12, 100, 505])
def test_leaving_works_within_a_frame(served, cut):
    link, _ = served
    link.write(wire.encode(wire.INFER, 1, SAMPLE)[:cut])
    link.leave()
    assert link.exec("print(1 + 1)") == "2\n"


def test_a_board_left_within_a_frame_by_a_program_that_died_can_be_opened(board):
    link, _ = connected(board.port)
    link.write(wire.encode(wire.INFER, 1, SAMPLE)[:40])
    link.detach()
    with Stopwatch() as watch, transport.open(board.port) as link:
        assert link.exec("print(1 + 1)") == "2\n"
    assert watch.elapsed_s < PATIENCE_S


def test_ctrl_c_at_the_line_leads_back_to_the_prompt(served):
    link, dut = served
    link.write(b"\x03\x03")
    with pytest.raises(BoardError, match="it returned to its prompt"):
        dut.info()
    link.leave()
    assert link.exec("print(1 + 1)") == "2\n"


def test_a_program_is_not_left_running_by_a_user_who_gives_up(board):
    link, _ = connected(board.port, board.interrupt, sleep_s=0.05)
    with Stopwatch() as watch, pytest.raises(KeyboardInterrupt), link:
        link.write(b"infer 1000 0%")
        time.sleep(0.1)
        raise KeyboardInterrupt
    assert watch.elapsed_s < PATIENCE_S
    with serial.Serial(board.port, 115200, timeout=2) as port:
        port.write(b"6 * 7\r")
        assert b"\n42\n" in port.read_until(b"42\n")


# What breaks


def test_a_program_that_cannot_start_is_reported_with_its_reason(board):
    with transport.open(board.port) as link:
        link.start("from toy_model import ToyModel")
        with pytest.raises(BoardError, match="ImportError: no module named 'toy_model'"):
            Dut(link).wait_ready()


def test_a_killed_interpreter_is_noticed_in_mid_window(board):
    link, dut = connected(board.port, board.interrupt, sleep_s=0.01)
    dut.load_input(SAMPLE)
    link.write(b"infer 10000 0%")
    time.sleep(0.1)
    os.kill(board.pid, signal.SIGKILL)
    with Stopwatch() as watch, pytest.raises(BoardError, match="disappeared"):
        dut.window(1, 0, 60.0)
    assert watch.elapsed_s < 4.0
    with pytest.raises(BoardError):
        link.leave()
    link.close()


def test_a_killed_interpreter_is_noticed_between_samples(served, board):
    _, dut = served
    os.kill(board.pid, signal.SIGKILL)
    with Stopwatch() as watch, pytest.raises(BoardError, match="disappeared"):
        for _ in range(100_000):
            dut.infer_sample(SAMPLE)
    assert watch.elapsed_s < 4.0


def test_a_stalled_board_is_noticed(board):
    link, dut = connected(board.port, timeout_s=4.8)
    dut.load_input(SAMPLE)
    os.kill(board.pid, signal.SIGSTOP)
    for request, limit_s in (
        (lambda: dut.infer_sample(SAMPLE), PATIENCE_S),
        (lambda: dut.window(10, 0, 1.0), PATIENCE_S + 1.0),
        (link.leave, PATIENCE_S),
    ):
        with Stopwatch() as watch, pytest.raises(BoardError):
            request()
        assert watch.elapsed_s < limit_s
    link.close()


def test_a_board_that_does_not_answer_cannot_be_opened(board):
    os.kill(board.pid, signal.SIGSTOP)
    with Stopwatch() as watch, pytest.raises(NoBoardError, match="does not answer"):
        transport.open(board.port)
    assert watch.elapsed_s < PATIENCE_S


def test_a_pulled_plug_is_noticed(board):
    with FaultyLine(board.port) as line:
        link, dut = connected(line.port)
        line.close()
        with Stopwatch() as watch, pytest.raises(BoardError, match="disappeared"):
            dut.infer_sample(SAMPLE)
        assert watch.elapsed_s < 4.0
        link.close()


def test_a_slow_line_is_only_slow(board):
    with FaultyLine(board.port) as line:
        link, dut = connected(line.port)
        line.to_board = line.to_host = faulty_line.delay(0.05)
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT
        assert dut.window(10, 1, 5.0) > 0
        link.close()


FAULTS = [
    *(faulty_line.drop(at, count) for at, count in [(0, 1), (3, 1), (11, 2), (13, 1), (200, 40), (504, 1)]),
    *(faulty_line.corrupt(at, 1, mask) for at, mask in [(0, 1), (0, 0x55), (4, 0xFF), (8, 1), (12, 1), (505, 0x80)]),
    *(faulty_line.duplicate(at, count) for at, count in [(0, 1), (6, 30), (490, 16), (0, 506)]),
    *(faulty_line.insert(at, noise) for at in (0, 2, 15) for noise in [b"\x02", b"\x02" * 40, bytes(70), b"%%m-ready"]),
]


@pytest.mark.parametrize("fault", range(len(FAULTS)))
@pytest.mark.parametrize("way", ["to_board", "to_host"])
def test_after_a_fault_the_output_is_right_or_an_error(board, fault, way):
    with FaultyLine(board.port) as line:
        link, dut = connected(line.port, board.interrupt)
        setattr(line, way, FAULTS[fault])
        with Stopwatch() as watch:
            try:
                assert dut.infer_sample(SAMPLE)[0] == OUTPUT
                assert dut.command("name") == ["m-name-dut-[tinympy]"]
                assert dut.infer_sample(SAMPLE[::-1])[0] == SAMPLE[11::-1][::-1]
            except BoardError:
                assert watch
        assert watch.elapsed_s < PATIENCE_S
        line.to_board = line.to_host = faulty_line.intact
        link.leave()
        assert link.exec("print(1 + 1)") == "2\n"
        link.close()


def test_a_line_full_of_garbage_gives_right_outputs_or_errors(board):
    random_ = random.Random(3)

    def noisy(data):
        return b"".join(
            random_.randbytes(random_.randrange(4)) if random_.random() < 0.002 else bytes([byte]) for byte in data
        )

    right = failed = 0
    with FaultyLine(board.port) as line:
        link, dut = connected(line.port, board.interrupt)
        line.to_board = line.to_host = noisy
        for _ in range(60):
            with Stopwatch() as watch:
                try:
                    assert dut.infer_sample(SAMPLE)[0] == OUTPUT
                    right += 1
                except BoardError:
                    failed += 1
            assert watch.elapsed_s < PATIENCE_S
            if failed > 3:
                break
        line.to_board = line.to_host = faulty_line.intact
        link.leave()
        assert link.exec("print(1 + 1)") == "2\n"
        link.close()
    assert right
