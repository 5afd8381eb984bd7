"""A model as plain data: what the compiler and the reference engine both start from, and the files it comes from.

`graph` is what `read` makes of a `.tflite` file and `write` a file of. `quantise` is the arithmetic of scales, `state`
what a model keeps between inferences, `edges` where a model with float inputs or outputs becomes integers.
"""
