"""The network of one test. Tests of this folder fail, and do not skip, where `VIGLA_REQUIRE_LIVE=1`."""

import os
from collections.abc import Iterator

import pytest

from tests.live.network import Network, NoNamespace, namespace


@pytest.fixture
def network() -> Iterator[Network]:
    """A fresh namespace with the interfaces `mirror0` and `mirror1`."""
    try:
        inside = namespace("mirror0", "mirror1")
        made = inside.__enter__()
    except NoNamespace as error:
        if os.environ.get("VIGLA_REQUIRE_LIVE") == "1":
            pytest.fail(f"live capture must be tested here and cannot be: {error}", pytrace=False)
        pytest.skip(f"no live capture: {error}")
    try:
        yield made
    finally:
        inside.__exit__(None, None, None)
