"""What each platform has proven: collected from tests that passed, written when asked.

`pytest tests/conformance --record-proofs` writes `contract/proofs.json`. A proof counts for the files it was
made with: `folder` is a digest over the platform's folder.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from hubbub.connector.registry import Registry
from hubbub.surfaces.cli.grades import digest

PROPERTY = "proves"
PROOFS = Path(__file__).resolve().parents[2] / "contract" / "proofs.json"


class Recorder:
    """Listens to the results; a proof needs every test that claims it to pass."""

    def __init__(self) -> None:
        self.claimed: dict[tuple[str, str, str], bool] = defaultdict(lambda: True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        claims = [claim for name, claim in report.user_properties if name == PROPERTY]
        for platform, backend, proof in map(tuple, claims):
            self.claimed[platform, backend, proof] &= report.passed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            write(self.claimed)


def write(claimed: dict[tuple[str, str, str], bool]) -> None:
    proofs: dict[str, dict[str, object]] = {}
    for name, found in Registry().items():
        proved: dict[str, list[str]] = defaultdict(list)
        for (platform, backend, proof), held in sorted(claimed.items()):
            if platform == name and held:
                proved[backend].append(proof)
        proofs[name] = {"folder": digest(found.folder), "proved": dict(proved)}
    PROOFS.parent.mkdir(exist_ok=True)
    PROOFS.write_text(json.dumps(proofs, indent=2, sort_keys=True) + "\n")
