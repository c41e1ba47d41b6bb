"""Alerts become groups, incidents and clusters: a pure function of alerts and decisions, and where its results are
kept.
"""
