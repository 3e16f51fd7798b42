"""Coordinate networks: the base field, the representations over it, their masks and their parameter layout.

This file imports nothing, so that `wsr.fields.registry` and `wsr.presets` can be imported without loading torch.
"""
