"""The Atlas tab: a map on which every point is a neural network, placed by its weights alone."""
