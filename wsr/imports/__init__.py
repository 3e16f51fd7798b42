"""Zoos of other programs: a file for each layout, which `wsr import` turns into a zoo of ours."""
