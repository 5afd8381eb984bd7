"""tinympy on the board: `m = tinympy.load("digits"); m.predict(x)`. The computer puts programs beside this file."""

# On a board help() shows names and their values, and docstrings are gone.
__doc__ = """models on a microcontroller
    tinympy.models()            which are here
    m = tinympy.load("digits")  then help(m)"""

# What circup compares with a bundle's.
__version__ = "0.1.0"

# The fastest first.
ENGINES = ("native", "viper", "ulab", "python")


def models():
    """The names of the models that are on this board."""
    from os import listdir

    return sorted([name[:-5] for name in listdir(_folder()) if name.endswith(".tmpy") and name[0] != "_"])


def load(name, engine=None):
    """The Model `name`, as deployed by the computer; `name` may also be a path. OSError when there is none.

    engine -- one of ENGINES; None: the first that is here. ImportError when it is not.
    A program that was compiled for flash keeps its constants there, where this board's flash can be read like memory;
    engines in Python read them from the file where it cannot.
    """
    import gc

    # All code before the arena: the kernels are one piece of memory as well.
    from .model import Model
    from .program import read, reserve

    if "/" not in name:
        name = _folder() + "/" + name + ".tmpy"
    make = arena = program = tiles = None
    try:
        make = _engine(engine)
        gc.collect()
        arena = reserve(name)
        program, tiles = read(name, make.name != "native")
        # What follows lasts: behind the garbage there is now, it would split the heap.
        gc.collect()
        return Model(program, tiles, make, arena)
    except (ImportError, MemoryError, OSError) as error:
        # An explanation takes memory as well.
        arena = program = tiles = None
        from .trouble import not_loaded

        raise not_loaded(error, name, engine) from None


def _folder():
    return __file__.rsplit("/", 1)[0]


def _engine(name):
    """The class of the engine `name`, or of the first that was deployed."""
    for each in (name,) if name else ENGINES:
        try:
            module = __import__(__name__ + "." + each, None, None, ("name",))
            return getattr(module, each[0].upper() + each[1:] + "Engine")
        except ImportError:
            if name:
                raise
        except ValueError as error:  # it was compiled for another board
            raise ImportError(str(error)) from None
    raise ImportError("there is no engine")
