"""Shared by all tests: loud skips (failures in CI), the folder of real data sets, and how Hypothesis runs."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
EXCUSE = "optional oracle: "

hypothesis.settings.register_profile("tightrope", deadline=None, print_blob=True, derandomize=IN_CI)
hypothesis.settings.load_profile("tightrope")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", metavar="FOLDER", help="the real data sets (default: the variable TIGHTROPE_DATA)")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SkipLedger(in_ci=IN_CI), "skip-ledger")


@pytest.fixture(scope="session")
def data_folder(pytestconfig: pytest.Config) -> Path | None:
    """The folder of real data sets that --data or TIGHTROPE_DATA names; None when neither does."""
    name = pytestconfig.getoption("--data") or os.environ.get("TIGHTROPE_DATA")
    if not name:
        return None
    if not Path(name).is_dir():
        raise pytest.UsageError(f"the data folder {name!r} does not exist; name a folder in --data or TIGHTROPE_DATA")
    return Path(name)


class SkipLedger:
    """Counts the tests that did not run; in CI one fails the session, unless its reason starts with the excuse."""

    def __init__(self, *, in_ci: bool) -> None:
        self.in_ci = in_ci
        self.skips: list[tuple[str, str]] = []

    def _enter(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skips.append((report.nodeid, text.removeprefix("Skipped: ")))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._enter(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._enter(report)

    @property
    def failures(self) -> list[tuple[str, str]]:
        return [(test, reason) for test, reason in self.skips if self.in_ci and not reason.startswith(EXCUSE)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.failures and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.skips:
            return
        terminalreporter.section(f"{len(self.skips)} TESTS DID NOT RUN", red=bool(self.failures), yellow=True)
        for test, reason in self.skips:
            failed = (test, reason) in self.failures
            terminalreporter.line(f"{'FAILED, because skipped in CI' if failed else 'skipped'}: {test}: {reason}")
