"""The Symmetry tab: what may be done to weights while the picture stays."""
