"""Zoos for other programs: a file for each form that `wsr export` writes."""
