"""Sensors as the hub knows them: credential, municipality, health."""
