"""Fixtures that several rooms share."""

from tests.elasticsearch.fixture import elasticsearch_server, municipality

__all__ = ["elasticsearch_server", "municipality"]
