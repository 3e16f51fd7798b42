"""The tree of nodes in glTF, which places meshes."""

from collections.abc import Iterator

import numpy as np

from wsr.data.mesh_limits import MAX_DEPTH, MAX_PARTS, Refusal, check_count


def placed(header: dict) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the index of each placed mesh and its matrix (4, 4), for the default scene or, if there is none, for all
    nodes."""
    nodes = header.get("nodes", [])
    check_count(len(nodes), MAX_PARTS, "nodes")
    roots = _roots(nodes)
    if scenes := header.get("scenes", []):
        number = header.get("scene", 0)
        if type(number) is not int or not 0 <= number < len(scenes):
            raise Refusal(f"it shows scene {str(number)[:20]} of {len(scenes):,}")
        roots = scenes[number].get("nodes", [])
        if len(set(roots)) != len(roots) or any(type(r) is not int or not 0 <= r < len(nodes) for r in roots):
            raise Refusal("its scene names nodes that do not exist, or one node twice")
    # the last node first, as trimesh places them: the order of the faces changes the hash of a mesh
    waiting = [(root, np.eye(4), 0) for root in roots]
    while waiting:
        number, above, depth = waiting.pop()
        check_count(depth, MAX_DEPTH, "levels of nodes")
        node = nodes[number]
        matrix = above @ _matrix(node)
        if "mesh" in node:
            yield node["mesh"], matrix
        waiting += [(child, matrix, depth + 1) for child in node.get("children", [])]


def _roots(nodes: list[dict]) -> list[int]:
    """Returns the roots, and checks that the nodes form strict trees as glTF demands. Other graphs could place a part
    endlessly."""
    children = [child for node in nodes for child in node.get("children", [])]
    if len(set(children)) != len(children) or any(type(c) is not int or not 0 <= c < len(nodes) for c in children):
        raise Refusal("its nodes are not a tree")
    roots = sorted(set(range(len(nodes))) - set(children))
    waiting, seen = list(roots), 0
    while waiting:
        seen += 1
        waiting += nodes[waiting.pop()].get("children", [])
    if seen != len(nodes):
        raise Refusal("its nodes are not a tree")
    return roots


def _matrix(node: dict) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # column by column in the file
    turn = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    x, y, z, w = turn / np.linalg.norm(turn)  # rounded in the file
    scale = np.array(node.get("scale", (1, 1, 1)), np.float64).reshape(3)
    turn = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    result = np.eye(4)
    result[:3, :3] = turn * scale
    result[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64).reshape(3)
    return result
