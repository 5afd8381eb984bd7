"""What the board answers to frames, intact and damaged."""

import json
import struct

import pytest
from tinympy.device import wire

from board_on_cpython import Line, ReversingModel, board, talk

SAMPLE = bytes(range(0xF8, 0x100))
NAME = b"m-name-dut-[tinympy]\r\nm-ready\r\n"
READ = wire.encode(wire.READ_OUTPUT, 9, b"")


def error(sequence, code, text):
    return wire.encode(wire.ERROR, sequence, bytes([code]) + text)


def reply(kind, sequence, payload=b""):
    return wire.encode(kind | wire.REPLY, sequence, payload)


def damaged(frame, at):
    frame = bytearray(frame)
    frame[at] ^= 0x10
    return bytes(frame)


def test_infer_answers_the_outputs_and_the_time():
    said = talk(wire.encode(wire.INFER, 7, SAMPLE))
    assert said[:12] == reply(wire.INFER, 7, bytes(7))[:12]
    assert said[12:15] == b"\xff\xfe\xfd"
    assert struct.unpack("<I", said[15:19])[0] < 1_000_000


def test_load_input_then_infer_as_text_then_read_output():
    said = talk(wire.encode(wire.LOAD_INPUT, 7, SAMPLE) + b"infer 1 0%" + READ)
    assert said.startswith(reply(wire.LOAD_INPUT, 7) + b"m-warmup-start-0\r\n")
    assert said.endswith(b"m-ready\r\n" + reply(wire.READ_OUTPUT, 9, b"\xff\xfe\xfd"))


def test_the_last_window_can_be_read():
    line = Line(wire.encode(wire.LOAD_INPUT, 7, SAMPLE) + b"infer 3 2%" + wire.encode(wire.READ_WINDOW, 8, b""))
    device = board(line)
    with pytest.raises(EOFError):
        device.loop()
    count, warmup, first_us, last_us, *heap = device.window
    assert (count, warmup) == (3, 2)
    # CPython does not say how much of a heap is free.
    assert heap == [0, 0]
    assert line.sent.endswith(reply(wire.READ_WINDOW, 8, struct.pack("<IIQQII", 3, 2, first_us, last_us, 0, 0)))
    assert b"m-lap-us-%d\r\nm-lap-us-%d\r\n" % (first_us, last_us) in line.sent


def test_info_is_json():
    said = talk(wire.encode(wire.INFO, 7, b""))
    assert json.loads(said[12:-4])["arena_bytes"] == 11


def test_exit_is_answered_and_ends_the_loop():
    line = Line(wire.encode(wire.EXIT, 5, b"") + b"name%")
    board(line).loop()
    assert line.sent == reply(wire.EXIT, 5)


def test_a_frame_drops_the_command_it_interrupts():
    assert talk(b"na" + wire.encode(wire.ECHO, 1, b"hi") + b"name%") == reply(wire.ECHO, 1, b"hi") + NAME


def test_a_repeated_request_is_answered_again():
    echo = wire.encode(wire.ECHO, 1, b"hi")
    assert talk(echo + echo) == 2 * reply(wire.ECHO, 1, b"hi")


@pytest.mark.parametrize(
    ("kind", "payload"), [(wire.INFER, SAMPLE), (wire.RUN_RANGE, struct.pack("<HHI", 0, 1, 1)), (wire.RESET, b"")]
)
def test_a_repeated_request_that_changes_the_state_is_answered_from_memory(kind, payload):
    resets = []
    model = ReversingModel()
    model.reset = lambda: resets.append(1)
    request = wire.encode(kind, 7, payload)
    said = talk(request + wire.encode(wire.ECHO, 8, b"") + damaged(request, 9) + request + request, model=model)
    answer = said[: said.index(reply(wire.ECHO, 8))]
    assert said.endswith(error(0, wire.DAMAGED, b"header") + answer + answer)
    assert model.runs + len(resets) == 1


def test_a_request_with_a_new_number_or_another_payload_is_executed():
    model = ReversingModel()
    requests = [(7, SAMPLE), (8, SAMPLE), (8, SAMPLE[::-1])]
    said = talk(b"".join(wire.encode(wire.INFER, *request) for request in requests), model=model)
    assert model.runs == 3
    assert said.count(b"\xff\xfe\xfd") == 2 and b"\xf8\xf9\xfa" in said


def test_a_refused_request_is_not_remembered():
    model = ReversingModel()
    failing, working = (wire.encode(wire.RUN_RANGE, 7, struct.pack("<HHI", 0, last, 1)) for last in (2, 1))
    said = talk(failing + failing + working, model=model)
    refusal = error(7, wire.FAILED, b"ValueError: there are fewer operations")
    assert said.startswith(refusal + refusal) and model.runs == 1


def test_a_range_of_operations_runs_as_often_as_asked_and_says_how_long():
    model = ReversingModel()
    load = wire.encode(wire.LOAD_INPUT, 1, SAMPLE)
    said = talk(load + wire.encode(wire.RUN_RANGE, 2, struct.pack("<HHI", 0, 1, 5)) + READ, model=model)
    assert model.runs == 5
    assert said.endswith(reply(wire.READ_OUTPUT, 9, b"\xff\xfe\xfd"))
    begin = len(reply(wire.LOAD_INPUT, 1)) + 12
    assert struct.unpack("<I", said[begin : begin + 4])[0] < 1_000_000


def test_an_empty_range_runs_nothing():
    model = ReversingModel()
    talk(wire.encode(wire.RUN_RANGE, 2, struct.pack("<HHI", 0, 0, 1000)), model=model)
    assert model.runs == 0


def test_the_arena_can_be_read():
    load = wire.encode(wire.INFER, 1, SAMPLE)
    said = talk(load + wire.encode(wire.READ_ARENA, 2, struct.pack("<II", 6, 4)))
    assert said.endswith(reply(wire.READ_ARENA, 2, b"\xfe\xff\xff\xfe"))


@pytest.mark.parametrize(("at", "count"), [(12, 0), (0, 12), (0xFFFFFFFF, 1), (0, wire.ARENA_BYTES + 1)])
def test_what_is_not_in_the_arena_is_refused(at, count):
    said = talk(wire.encode(wire.READ_ARENA, 2, struct.pack("<II", at, count)), model=ReversingModel(output_bytes=3))
    assert said == error(2, wire.FAILED, b"ValueError: %d bytes at %d of the arena" % (count, at))


def test_a_reset_gives_the_state_its_first_value():
    model = ReversingModel()
    assert talk(wire.encode(wire.INFER, 1, SAMPLE) + wire.encode(wire.RESET, 2, b""), model=model).endswith(
        reply(wire.RESET, 2)
    )
    assert model.runs == 0


def test_several_inputs_and_outputs_stand_one_after_another():
    model = ReversingModel(parts=True)
    said = talk(wire.encode(wire.INFER, 1, SAMPLE) + READ, model=model)
    assert [bytes(view) for view in model.inputs] == [SAMPLE[:1], SAMPLE[1:]]
    assert said[12:15] == b"\xff\xfe\xfd"
    assert said.endswith(reply(wire.READ_OUTPUT, 9, b"\xff\xfe\xfd"))
    info = json.loads(talk(wire.encode(wire.INFO, 1, b""), model=model)[12:-4])
    assert (info["input_bytes"], info["output_bytes"]) == (8, 3)


def test_text_commands_know_the_first_input_and_the_first_output():
    said = talk(b"db load 1%db 7f%infer 1 0%", model=ReversingModel(parts=True), wire_bytes=1)
    assert b"m-load-done" in said and b"m-results-[0.500]" in said


def test_damaged_header_is_an_error_and_the_next_frame_is_executed():
    assert talk(damaged(wire.encode(wire.ECHO, 1, b"hi"), 4) + READ) == error(0, wire.DAMAGED, b"header") + reply(
        wire.READ_OUTPUT, 9, bytes(3)
    )


def test_damaged_payload_is_an_error_and_the_next_frame_is_executed():
    assert talk(damaged(wire.encode(wire.ECHO, 1, b"hi"), 13) + READ) == error(1, wire.DAMAGED, b"payload") + reply(
        wire.READ_OUTPUT, 9, bytes(3)
    )


def test_text_is_back_on_an_idle_line_after_damage():
    for at in (4, 13):
        said = talk(damaged(wire.encode(wire.ECHO, 1, b"hi"), at) + wire.IDLE + b"name%")
        assert said.endswith(NAME)
        assert said.count(b"m-ready") == 1


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (wire.encode(wire.INFER, 3, bytes(7)), error(3, wire.BAD_LENGTH, b"7 bytes instead of 8")),
        (wire.encode(wire.ECHO, 3, bytes(65)), error(3, wire.BAD_LENGTH, b"65 bytes instead of 64")),
        (wire.encode(wire.INFO, 3, b"x"), error(3, wire.BAD_LENGTH, b"1 bytes instead of 0")),
        (wire.encode(wire.RUN_RANGE, 3, bytes(7)), error(3, wire.BAD_LENGTH, b"7 bytes instead of 8")),
        (wire.encode(wire.READ_ARENA, 3, b""), error(3, wire.BAD_LENGTH, b"0 bytes instead of 8")),
        (wire.encode(wire.RESET, 3, b"x"), error(3, wire.BAD_LENGTH, b"1 bytes instead of 0")),
        (wire.encode(wire.EXIT, 3, b"x"), error(3, wire.BAD_LENGTH, b"1 bytes instead of 0")),
        (wire.encode(0x42, 3, b"name%"), error(3, wire.UNKNOWN, b"request 66")),
    ],
)
def test_refused_frames_are_dropped_whole(frame, said):
    assert talk(frame + READ + b"name%") == said + reply(wire.READ_OUTPUT, 9, bytes(3)) + NAME


def test_lost_bytes_are_filled_up_with_nul():
    frame = wire.encode(wire.INFER, 3, SAMPLE)
    for cut in range(1, len(frame)):
        said = talk(frame[:cut] + bytes(len(frame)) + wire.IDLE + b"name%")
        assert said.endswith(NAME)
        assert wire.encode(wire.INFER | wire.REPLY, 3, b"")[:4] not in said


def test_window_on_a_damaged_input_is_refused_until_another_is_loaded():
    broken = damaged(wire.encode(wire.LOAD_INPUT, 1, SAMPLE), 15) + wire.IDLE + b"infer 1 0%"
    assert talk(broken).endswith(b"e-[The input arrived damaged: load it again]\r\nm-ready\r\n")
    assert b"m-infer-done" in talk(broken + b"db load 8%db 0102030405060708%infer 1 0%")
    assert b"m-infer-done" in talk(broken + wire.encode(wire.LOAD_INPUT, 2, SAMPLE) + b"infer 1 0%")


def test_failing_inference_is_an_error_and_the_loop_goes_on():
    model = ReversingModel()
    model.run = lambda: 1 // 0
    said = talk(wire.encode(wire.INFER, 4, SAMPLE) + b"name%", model=model)
    assert b"ZeroDivisionError" in said
    assert said[1:4] == bytes([wire.ERROR, 4, 0])
    assert said.endswith(NAME)
