"""The structure of weight space: nearest neighbours and maps."""

from wsr.analysis.neighbours import nearest
from wsr.analysis.projections import METHODS, Projection, place, project, project_all, to_table

__all__ = ["METHODS", "Projection", "nearest", "place", "project", "project_all", "to_table"]
