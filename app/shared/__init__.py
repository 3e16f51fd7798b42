"""Shared by several tabs: the assets, thumbnails, samples, colours, and the work of the child processes."""
