"""Makes the scripts of native_modules importable: the tests look into modules as its build does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "native_modules"))
