"""The commands that are more than a few lines: options and presentation of each in a file of its own name."""
