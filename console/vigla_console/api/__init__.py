"""The JSON API beside the pages, with the same permissions."""
