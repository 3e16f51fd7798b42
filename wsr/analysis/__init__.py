"""The structure of weight space: nearest neighbours and maps."""

from wsr.analysis.neighbours import nearest
from wsr.analysis.projections import (
    METHODS,
    Projection,
    ProjectionConfig,
    faithfulness,
    place,
    project,
    project_all,
    project_stream,
    to_table,
)

__all__ = [
    "METHODS",
    "Projection",
    "ProjectionConfig",
    "faithfulness",
    "nearest",
    "place",
    "project",
    "project_all",
    "project_stream",
    "to_table",
]
