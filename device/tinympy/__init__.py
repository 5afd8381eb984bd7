"""tinympy on the board: `m = tinympy.load("digits"); m.predict(x)`. The computer puts programs beside this file."""


def load(name):
    """The Model `name`, as deployed by the computer; `name` may also be a path. OSError when there is none."""
    from .model import Model

    if "/" not in name:
        name = __file__.rsplit("/", 1)[0] + "/" + name + ".tmpy"
    # read() would extend its buffer by 256 bytes at a time, which takes seven times as long.
    with open(name, "rb") as file:
        program = bytearray(file.seek(0, 2))
        file.seek(0)
        file.readinto(program)
    return Model(program)
