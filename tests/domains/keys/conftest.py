"""The API on a database of each test's own."""

from api import *  # noqa: F403
