"""tinympy on the board: `m = tinympy.load("digits"); m.predict(x)`. The computer puts programs beside this file."""

import gc


def load(name):
    """The Model `name`, as deployed by the computer; `name` may also be a path. OSError when there is none.

    A program that was compiled for flash keeps its constants there, where this board's flash can be read like memory.
    """
    from .model import Model
    from .program import read

    if "/" not in name:
        name = __file__.rsplit("/", 1)[0] + "/" + name + ".tmpy"
    program, tiles = read(name)
    # What follows lasts: behind the garbage there is now, it would split the room for the arena.
    gc.collect()
    return Model(program, tiles)
