"""The tabs, a package each."""
