"""Drafts of rule files kept between runs: what did not change is not parsed again."""
