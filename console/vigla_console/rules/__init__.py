"""Texts and metadata of the rules, read from the pack."""
