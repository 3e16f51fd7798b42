"""The Atlas tab: every point a neural network, placed by its weights alone."""
