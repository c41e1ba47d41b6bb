"""Recipes for the captures of samples. A package: import it whole, then call ``traffic.steps``."""
