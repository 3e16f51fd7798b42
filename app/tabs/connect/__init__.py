"""The Connect tab: the straight line between the weights of two fits."""
