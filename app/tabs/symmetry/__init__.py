"""The Symmetry tab: changes of weights that keep the picture."""
