"""The structure of weight space: nearest neighbours and maps."""

from wsr.analysis.neighbours import nearest
from wsr.analysis.projections import (
    LEAST_JUDGED,
    METHODS,
    Projection,
    ProjectionConfig,
    faithfulness,
    interpolated,
    place,
    project,
    project_all,
    project_stream,
    to_table,
)

__all__ = [
    "LEAST_JUDGED",
    "METHODS",
    "Projection",
    "ProjectionConfig",
    "faithfulness",
    "interpolated",
    "nearest",
    "place",
    "project",
    "project_all",
    "project_stream",
    "to_table",
]
