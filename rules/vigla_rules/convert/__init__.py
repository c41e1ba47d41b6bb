"""``vigla-rules convert``: rules as hunting queries for Elasticsearch. For looking back, never a path of detection."""
