"""Coordinate networks: the base field, the representations over it, their masks and parameter layout.

Nothing is imported here: `wsr.fields.registry` and `wsr.presets` are read where torch is not loaded.
"""
