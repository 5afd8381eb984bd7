"""The run rules: every one with its source, and what a record that breaks one is marked with (docs/rules.md).

`performance`, `accuracy` and `energy` hold the rules, `versions` what differs between versions of MLPerf Tiny,
`division` what makes a result closed or open. Paths in sources without a repository are below benchmark/ of
mlcommons/tiny.
"""

from __future__ import annotations

from tinympy import records
from tinympy.records import Finding, Record
from tinympy.rules import accuracy, division, energy, performance
from tinympy.rules.rule import Breach, Case, Rule
from tinympy.rules.versions import LATEST, VERSIONS, Version

__all__ = ["LABEL", "LATEST", "RULES", "VERSIONS", "Rule", "Version", "findings", "judge", "version_of"]

LABEL = "MLPerf Tiny rules, unverified. Result not verified by MLCommons Association."
"""What stands beside results that follow the rules; only what MLCommons has verified may be called more than that."""


def _ended(case: Case) -> Breach | None:
    record = case.record
    if record.status == "failed":
        return Breach(f"the run failed: {record.error or 'no reason given'}")
    if record.status == "interrupted":
        return Breach("the run was interrupted")
    return Breach("the run has not come to its end") if record.status == "running" else None


def _time_passed(case: Case) -> Breach | None:
    stood = any(window.elapsed_us <= 0 or window.n <= 0 for window in case.record.windows)
    return Breach("a window took no time") if stood else None


RULES: tuple[Rule, ...] = (
    Rule("run-ended", "The run came to its end.", "tinympy", "invalid", _ended, everywhere=True),
    Rule("time-passed", "Every window took time.", "tinympy", "invalid", _time_passed, everywhere=True),
    *accuracy.RULES,
    *performance.RULES,
    *energy.RULES,
)


def version_of(record: Record) -> Version:
    """The version that a record is judged by: the one it was made under, or else the latest."""
    return VERSIONS.get(record.rules.version, LATEST) if record.rules else LATEST


def findings(record: Record, version: Version | None = None) -> list[Finding]:
    """What the run does not follow, in the order of RULES; tasks besides those of MLPerf Tiny have few rules.

    version -- None: the one that the record was made under
    """
    case = Case(record, version or version_of(record))
    found = []
    for rule in RULES:
        breach = rule.check(case) if rule.everywhere or record.task.official else None
        if breach is not None:
            found.append(Finding(rule.name, rule.level, breach.message, breach.hint))
    return found


def judge(record: Record, version: Version = LATEST) -> None:
    """Marks a record whose run has ended with its verdict: `rules`, `valid` and `invalid_reason`."""
    found = findings(record, version)
    record.rules = records.Rules(version.name, division.of(record).division, found)
    reasons = [finding.message for finding in found if finding.level == "invalid"]
    if reasons:
        record.invalidate("; ".join(reasons))
