"""The native modules as built by `make native`, one folder for each architecture and `.mpy` version."""
