"""The text commands of the device under test, byte for byte as the reference firmware answers them."""

import re
import struct

import pytest

from board_on_cpython import Line, ReversingModel, board, talk

READY = b"m-ready\r\n"
WINDOW = (
    b"m-warmup-start-%d\r\nm-warmup-done\r\nm-infer-start-%d\r\nm-lap-us-<n>\r\nm-lap-us-<n>\r\nm-infer-done\r\n"
    b"m-results-[%s]\r\nm-ready\r\n"
)
LOAD_8 = b"db load 8%db 0102030405060708%"
LOADED_8 = b"m-[Expecting 8 bytes]\r\nm-ready\r\nm-load-done\r\nm-ready\r\n"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"name%", b"m-name-dut-[tinympy]\r\n"),
        (b"profile%", b"m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[kws01]\r\n"),
        (b"timestamp%", b"m-lap-us-<n>\r\n"),
        (b"results%", b"m-results-[0.500,0.500,0.500]\r\n"),
        (b"db%", b"e-[Command 'db' requires a subcommand]\r\n"),
        (b"db load%", b"e-[Command 'db load' requires the # of bytes]\r\n"),
        (b"db load 0%", b"e-[Command 'db load' must be >0 bytes]\r\n"),
        (b"db load NaN%", b"e-[Command 'db load' must be >0 bytes]\r\n"),
        (b"db load 8%", b"m-[Expecting 8 bytes]\r\n"),
        (b"db load 8x%", b"m-[Expecting 8 bytes]\r\n"),
        (b"db load 9%", b"Supplied buffer size 9 exceeds maximum of 8\n"),
        (b"db load -1%", b"Supplied buffer size -1 exceeds maximum of 8\n"),
        (b"db 012%", b"e-[Insufficent number of hex digits]\r\n"),
        (b"db print%", b""),
        (b"infer 0%", b"e-[Inference iterations must be >0]\r\n"),
        (b"infer -3%", b"e-[Inference iterations must be >0]\r\n"),
        (b"infer NaN%", b"e-[Inference iterations must be >0]\r\n"),
        (b"infer 1 -1%", b"e-[Inference warmup must be >=0]\r\n"),
        (b"nonsense 1 2%", b"e-[Unknown command: nonsense]\r\n"),
        (b"name\r\n%", b"e-[Unknown command: name\r\n]\r\n"),
        (b"names%", b"e-[Unknown command: names]\r\n"),
        (b"\xff\xfe%", b"e-[Unknown command: \xff\xfe]\r\n"),
        (b"  name  x%", b"m-name-dut-[tinympy]\r\n"),
        (b"%", b""),
        (b"   %", b""),
    ],
)
def test_reply_is_that_of_the_reference(command, reply):
    assert talk(command) == reply + READY


def test_help_is_that_of_the_reference():
    assert talk(b"help%") == (
        b"ULPMark for tinyML Firmware V0.0.1\r\n"
        b"\r\n"
        b"help         : Print this information\r\n"
        b"name         : Print the name of the device\r\n"
        b"timestsamp   : Generate a timetsamp\r\n"
        b"db SUBCMD    : Manipulate a generic byte buffer\r\n"
        b"  load N     : Allocate N bytes and set load counter\r\n"
        b"  db HH[HH]* : Load 8-bit hex byte(s) until N bytes\r\n"
        b"  print [N=16] [offset=0]\r\n"
        b"             : Print N bytes at offset as hex\r\n"
        b"infer N [W=0]: Load input, execute N inferences after W warmup loops\r\n"
        b"results      : Return the result fp32 vector\r\n"
        b"m-ready\r\n"
    )


def test_greeting_is_that_of_the_reference():
    line = Line(b"")
    board(line).greet()
    assert re.fullmatch(rb"m-timestamp-mode-performance\r\nm-lap-us-\d+\r\nm-init-done\r\nm-ready\r\n", line.sent)


def test_input_arrives_in_pieces_of_any_size_and_case():
    pieces = b"db load 8%db 01%db 02030405%db 06fFFf%"
    assert talk(pieces + b"db print%") == (
        b"m-[Expecting 8 bytes]\r\n"
        + READY
        + READY
        + READY
        + b"m-load-done\r\n"
        + READY
        + b"m-buffer-01-02-03-04-05-06-ff-ff\r\n"
        + READY
    )


def test_surplus_digits_are_ignored_even_invalid_ones():
    assert talk(b"db load 1%db 0102zz%db print%").endswith(b"m-load-done\r\nm-ready\r\nm-buffer-01\r\n\r\nm-ready\r\n")


def test_invalid_digits_are_named_and_those_before_them_kept():
    assert talk(b"db load 3%db 010g%db 0203%db print%") == (
        b"m-[Expecting 3 bytes]\r\n"
        + READY
        + b"e-[Invalid hex digit '0g']\r\n"
        + READY
        + b"m-load-done\r\n"
        + READY
        + b"m-buffer-01-02-03\r\n\r\n"
        + READY
    )


def test_digits_without_a_load_are_refused():
    assert talk(b"db 01%") == b"e-[Command 'db load' must come first]\r\n" + READY


def test_print_ends_with_a_blank_line_when_the_last_line_is_partial():
    model = ReversingModel(input_bytes=10)
    assert talk(b"db load 10%db 0102030405060708090a%db print%", model=model).endswith(
        b"m-load-done\r\nm-ready\r\nm-buffer-01-02-03-04-05-06-07-08\r\nm-buffer-09-0a\r\n\r\nm-ready\r\n"
    )


def test_infer_loads_runs_and_prints_in_the_order_of_the_reference():
    model = ReversingModel()
    assert talk(LOAD_8 + b"infer 5 2%", model=model) == LOADED_8 + WINDOW % (2, 5, b"0.531,0.527,0.523")
    assert model.runs == 7


@pytest.mark.parametrize(
    ("command", "warmup", "count"), [(b"infer%", 10, 1), (b"infer 3%", 10, 3), (b"infer 3 0%", 0, 3)]
)
def test_infer_has_the_defaults_of_the_reference(command, warmup, count):
    assert talk(LOAD_8 + command) == LOADED_8 + WINDOW % (warmup, count, b"0.531,0.527,0.523")


def test_infer_without_a_whole_input_says_so_and_runs():
    said = b"Input db has 2 elemented, expected 8\n" + WINDOW % (0, 1, b"0.500,0.500,0.500")
    assert talk(b"db load 8%db 0102%infer 1 0%").endswith(said)


def test_float_input_counts_its_elements():
    said = b"Input db has 1 elemented, expected 8\n" + WINDOW % (0, 1, b"0.500,0.500,0.500")
    assert talk(b"db load 4%db 00000000%infer 1 0%", wire_input="float32").endswith(said)


def test_laps_grow_and_differ_by_the_time_of_the_loop():
    line = Line(LOAD_8 + b"timestamp%infer 3 0%timestamp%infer 3 0%timestamp%")
    with pytest.raises(EOFError):
        board(line).loop()
    laps = [int(lap) for lap in re.findall(rb"m-lap-us-(\d+)", line.sent)]
    assert len(laps) == 7
    assert laps == sorted(laps)
    assert laps[2] - laps[1] < 1000


def test_commands_longer_than_the_buffer_are_cut_as_in_the_reference():
    digits = b"db load 8%db " + b"01" * 60 + b"%"
    assert talk(digits).endswith(b"e-[Insufficent number of hex digits]\r\n" + READY)
    assert talk(b"x" * 200 + b"%") == b"e-[Unknown command: " + b"x" * 80 + b"]\r\n" + READY


def test_a_failing_inference_is_an_error_line_and_the_loop_goes_on():
    model = ReversingModel()
    model.run = lambda: 1 // 0
    said = talk(LOAD_8 + b"infer 1 0%name%", model=model)
    assert b"e-[ZeroDivisionError: " in said
    assert said.endswith(b"m-ready\r\nm-name-dut-[tinympy]\r\nm-ready\r\n")


@pytest.mark.parametrize("end", [b"\r\x03", b"\x03\x03"])
def test_ctrl_c_ends_the_loop_anywhere_in_a_command(end):
    line = Line(b"name%na" + end + b"me%")
    board(line).loop()
    assert line.sent == b"m-name-dut-[tinympy]\r\n" + READY


def test_a_single_ctrl_c_is_ignored():
    assert talk(b"na\x03me%") == b"m-name-dut-[tinympy]\r\n" + READY


def test_nul_bytes_are_ignored():
    assert talk(b"\0\0na\0me\0%") == b"m-name-dut-[tinympy]\r\n" + READY


def test_uint8_inputs_are_moved_to_int8():
    said = talk(b"db load 8%db 000000000080ffff%infer 1 0%", wire_input="uint8-128")
    assert b"m-results-[0.996,0.996,0.500]" in said


def test_float_inputs_are_rounded_half_away_from_zero_and_clamped():
    # Scale 0.5, zero point 3: the quotients are 2.5, -2.5, 0.5, 1e9, -1e9, nan, 1.25, -1.75.
    values = [1.25, -1.25, 0.25, 5e8, -5e8, float("nan"), 0.625, -0.875]
    model = ReversingModel(output_bytes=8)
    line = Line(
        b"db load 32%db "
        + struct.pack("<4f", *values[:4]).hex().encode()
        + b"%db "
        + struct.pack("<4f", *values[4:]).hex().encode()
        + b"%infer 1 0%"
    )
    with pytest.raises(EOFError):
        board(line, model, wire_input="float32").loop()
    assert struct.unpack("8b", model.input) == (6, 0, 4, 127, -128, 3, 4, 1)


def test_mse_is_the_mean_square_of_output_minus_float_input():
    model = ReversingModel(input_bytes=4, output_bytes=4)
    model.output_scale, model.output_zero_point = 0.5, 3
    inputs = [1.0, -2.0, 3.1, 0.5]
    # Quantised to 0.5 and read backwards: the outputs are 0.5, 3.0, -2.0, 1.0.
    expected = sum((y - x) ** 2 for x, y in zip(inputs, [0.5, 3.0, -2.0, 1.0], strict=True)) / 4
    said = talk(
        b"db load 16%db " + struct.pack("<4f", *inputs).hex().encode() + b"%infer 1 0%",
        model=model, wire_input="float32", wire_results="mse",
    )  # fmt: skip
    assert b"m-results-[%0.3f]" % expected in said


def test_mse_without_float_inputs_is_nan():
    assert b"m-results-[nan]" in talk(b"results%", wire_input="float32", wire_results="mse")


def test_results_of_an_input_that_is_gone_are_not_shown():
    model = ReversingModel(keeps_input=False)
    assert b"m-results-[0.531,0.527,0.523]" in talk(LOAD_8 + b"infer 1 0%", model=model)
    said = talk(LOAD_8 + b"infer 1 1%results%", model=model)
    assert said.count(b"m-results-[]") == 2 and said.count(b"m-results") == 2
    # Each `infer` loads the input anew.
    assert talk(LOAD_8 + b"infer 3 0%infer 1 0%", model=model).endswith(b"m-results-[0.531,0.527,0.523]\r\nm-ready\r\n")


def test_rounded_results_are_those_of_printf():
    model = ReversingModel(input_bytes=256, output_bytes=256)
    digits = b"".join(b"db " + bytes(range(i, i + 16)).hex().encode() + b"%" for i in range(0, 256, 16))
    said = talk(b"db load 256%" + digits + b"infer 1 0%", model=model, wire_results="rounded")
    values = [(((255 - i) ^ 0x80) / 256) for i in range(256)]
    assert b"m-results-[" + b",".join(b"%0.3f" % value for value in values) + b"]" in said


def test_truncated_results_are_three_digits_cut_off():
    model = ReversingModel(input_bytes=256, output_bytes=256)
    digits = b"".join(b"db " + bytes(range(i, i + 16)).hex().encode() + b"%" for i in range(0, 256, 16))
    said = talk(b"db load 256%" + digits + b"infer 1 0%", model=model)
    values = [(((255 - i) ^ 0x80) * 1000 // 256) for i in range(256)]
    assert b"m-results-[" + b",".join(b"0.%03d" % value for value in values) + b"]" in said
