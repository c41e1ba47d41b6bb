"""Vigla's hub: ingest, storage, aggregation and the pages people act on."""

__version__ = "0.1.0"
