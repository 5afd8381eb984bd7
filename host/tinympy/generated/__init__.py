"""The networks of MLPerf Tiny as tables, one text file each, and models with random weights built from them.

Such a model has the original's operators, shapes, scales and zero points, and therefore its arena, its program size and
its latency; it knows nothing, so it has no accuracy. Made from the table alone, it needs no download.
"""

from tinympy.generated.model import build, random_inputs
from tinympy.generated.table import NAMES

__all__ = ["NAMES", "build", "random_inputs"]
