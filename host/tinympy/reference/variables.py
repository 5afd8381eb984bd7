"""What streaming models are made of: variables that are read and assigned, and CALL_ONCE, which initialises them.

Sources: TFLM's var_handle.cc, read_variable.cc, assign_variable.cc, call_once.cc. What a variable may hold, and what it
holds at first, is checked and decided in `model/state.py`.
"""

from __future__ import annotations

import numpy as np

from tinympy.reference.node import Array, Node


def call_once(node: Node) -> list[Array]:
    """Nothing: variables begin with the values that it assigns."""
    return []


def var_handle(node: Node) -> list[Array]:
    """A handle's value is its variable's name."""
    return [np.array(node.options["shared_name"])]


def read_variable(node: Node) -> list[Array]:
    return [node.variables[_name(node)]]


def assign_variable(node: Node) -> list[Array]:
    node.variables[_name(node)] = node.input(1).copy()
    return []


def _name(node: Node) -> str:
    name = str(node.input(0))
    node.require(name in node.variables, "its variable is not known")
    return name
