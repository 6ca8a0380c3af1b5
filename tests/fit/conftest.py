import pytest
from helpers_learn import fitted, quick, twin, world


@pytest.fixture(scope="session")
def fit():
    """`vic` on the twin; not to be changed."""
    return fitted()


@pytest.fixture(scope="session")
def bucket_fit():
    """A model of a third party; not to be changed."""
    return quick(validate=slice("2001-05-01", "2001-06-30"))


@pytest.fixture
def ds():
    return twin()


@pytest.fixture
def small():
    return world()
