import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin(f"{__package__}.pds.fixtures")
