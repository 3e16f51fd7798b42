"""The Connect tab: walk from one fit to another."""
