"""Makes the scripts of native_modules importable: the tests look into modules as its build does."""

import sys
from pathlib import Path

# Last, because its build.py has the name of a package.
sys.path.append(str(Path(__file__).parents[2] / "native_modules"))
