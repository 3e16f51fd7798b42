"""Limits on the size of a mesh. Larger meshes are refused, with their size, before they are decoded."""

MAX_MESH_BYTES = 32 * 2**20
MAX_FACES = 500_000
MAX_VERTICES = 3 * MAX_FACES  # a file whose triangles share no corner
MAX_PARTS = 4_000  # nodes and primitives of a scene: placing one takes 0.4 ms
MAX_DEPTH = 64  # levels of nested nodes; placing a node takes time proportional to its depth


class Refusal(Exception):
    """Raised with the reason why a file is not decoded, a clause about "it" from which `read_mesh` makes a WsrError."""


def check_count(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise Refusal(f"it has {count:,} {what} and up to {limit:,} are read")
