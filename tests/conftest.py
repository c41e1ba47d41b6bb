"""Fixtures that several rooms share."""

from hypothesis import settings

from tests.elasticsearch.fixture import elasticsearch_server, municipality

__all__ = ["elasticsearch_server", "municipality"]

settings.register_profile("long")  # `--hypothesis-profile long`: see tests/sigma/strategies.py
