"""Every semantics test runs over both engines."""

import pytest

from tests.sigma.engines import Engine, NativeEngine, ReferenceEngine


@pytest.fixture(params=["reference", "native"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine under test."""
    return {"reference": ReferenceEngine, "native": NativeEngine}[request.param]()
