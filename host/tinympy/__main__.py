"""`python -m tinympy` is the command `tinympy`."""

from tinympy.cli import main

main()
