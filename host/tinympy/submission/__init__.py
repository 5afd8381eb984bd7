"""Submission trees of MLPerf Tiny, made of records and of the public runner's sessions, and checked in words.

The layout is that of the results repositories (mlcommons/tiny_results_v1.3), the check follows mlcommons/tiny's
tools/submission/submission_checker.py, version v1.4. docs/submission.md says what a person has to add.
"""

from tinympy.submission.checker import DIVISIONS, STATUS, Finding, check
from tinympy.submission.system import describe, with_fields
from tinympy.submission.tree import Result, Submitter, results, write

__all__ = [
    "DIVISIONS",
    "STATUS",
    "Finding",
    "Result",
    "Submitter",
    "check",
    "describe",
    "results",
    "with_fields",
    "write",
]
