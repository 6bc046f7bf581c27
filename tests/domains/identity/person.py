"""Somebody who has signed up."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    email: str
    token: str
