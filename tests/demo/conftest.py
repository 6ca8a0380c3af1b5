import os

import pytest


@pytest.fixture
def sample_data(tmp_path_factory, monkeypatch):
    """The mirror named in XDPL_DATA_URL, and a cache of the test's own."""
    if not os.environ.get("XDPL_DATA_URL"):
        pytest.skip("XDPL_DATA_URL names no mirror of the sample data")
    monkeypatch.setenv("XDPL_DATA_DIR", str(tmp_path_factory.mktemp("cache")))
