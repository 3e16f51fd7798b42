"""The Fit tab: drop a picture or a shape, and watch it become weights."""
