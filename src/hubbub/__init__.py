"""Hubbub: one HTTP API, self-hosted, for every social network."""

__version__ = "0.1.0"
