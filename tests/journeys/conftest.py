from api import database_url, migrate, postgres  # noqa: F401 - fixtures
