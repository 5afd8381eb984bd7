"""tinympy on the board: `m = tinympy.load("digits"); m.predict(x)`. The computer puts programs beside this file."""

import gc


def load(name):
    """The Model `name`, as deployed by the computer; `name` may also be a path. OSError when there is none.

    A program that was compiled for flash keeps its constants there, where this board's flash can be read like memory.
    """
    # All code before the arena: the kernels are one piece of memory as well.
    from .model import Model
    from .native import NativeEngine
    from .program import read, reserve

    if "/" not in name:
        name = __file__.rsplit("/", 1)[0] + "/" + name + ".tmpy"
    gc.collect()
    arena = reserve(name)
    program, tiles = read(name)
    # What follows lasts: behind the garbage there is now, it would split the heap.
    gc.collect()
    return Model(program, tiles, NativeEngine, arena)
