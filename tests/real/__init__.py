"""Suites that run against real server software, started by the tests on loopback."""
