"""Recordings that other programs wrote, one file a format; which one it is, the content says.

load_trace("run.csv"), load_trace("trace1-energy.bin"), load_trace("x.csv", "csv", current="I1", current_unit="mA")
"""

from __future__ import annotations

from pathlib import Path

from tinympy.energy import options
from tinympy.energy.importers import eembc, generic_csv, jls, joulescope_csv, monsoon, otii, ppk2_csv, ppk2_session
from tinympy.energy.importers.source import Head, Importer
from tinympy.energy.trace import Trace
from tinympy.errors import UsageError

# In this order they are asked; the last one takes any table.
_IMPORTERS: dict[str, Importer] = {
    "eembc": eembc,
    "jls": jls,
    "ppk2": ppk2_session,
    "ppk2-csv": ppk2_csv,
    "joulescope-csv": joulescope_csv,
    "otii": otii,
    "monsoon": monsoon,
    "csv": generic_csv,
}

KINDS = tuple(_IMPORTERS)


def load_trace(path: str | Path, kind: str | None = None, **given: str) -> Trace:
    """The recording in a file, or of Otii in a folder.

    kind -- one of `KINDS`; None: what the content looks like
    given -- options of the format: the fields of the `Options` in its module

    Raises:
        UsageError: no such file, a format that is not known, an option that it does not have, a damaged file.
    """
    path = Path(path)
    try:
        head = Head.of(path)
        name = kind or next((name for name, importer in _IMPORTERS.items() if importer.recognises(head)), None)
        importer = _IMPORTERS.get(name) if name else None
        if importer is None:
            raise UsageError(
                f"{path.name} is no recording of a {'known kind' if name is None else f'kind {name}'}",
                f"kinds: {', '.join(KINDS)}",
            )
        return importer.load(path, options.parse(importer.Options, given, of=f"{name} files"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is no text", f"kinds: {', '.join(KINDS)}") from error
    except MemoryError as error:
        raise UsageError(f"{path.name} does not fit into memory", "export a shorter part of the recording") from error
