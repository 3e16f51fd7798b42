"""The guard of GLB files: their JSON is rewritten with nothing but triangles, their places and the bytes they take."""

import json
import struct

from wsr.data.mesh_limits import MAX_DEPTH, MAX_FACES, MAX_PARTS, MAX_VERTICES, Refusal, check_count

_MAX_JSON = 4 * 2**20
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_TRIANGLES, _STRIP = 4, 5
_POSE = ("matrix", "translation", "rotation", "scale")
_COMPRESSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")


def guard_glb(data: bytes) -> bytes:
    """The same geometry without materials, images, cameras, animations, extras, extensions and URIs.

    A JSON of another structure than glTF's raises whatever Python raises; the caller makes one sentence of it.
    """
    header, binary = _chunks(data)
    required = header.get("extensionsRequired", [])
    if packed := [name for name in required if name in _COMPRESSED]:
        raise Refusal(f"its geometry is compressed by {packed[0]}, which is not read: export it without compression")
    meshes = [_mesh(mesh) for mesh in header.get("meshes", [])]
    nodes = [_node(node) for node in header.get("nodes", [])]
    check_count(len(nodes), MAX_PARTS, "nodes")
    primitives = [primitive for mesh in meshes for primitive in mesh["primitives"]]
    used = {p["attributes"]["POSITION"] for p in primitives} | {p["indices"] for p in primitives if "indices" in p}
    accessors = [_accessor(a, i in used) for i, a in enumerate(header.get("accessors", []))]
    _check_tree(nodes)
    _check_size(meshes, nodes, accessors)
    kept = {
        "asset": {"version": "2.0"},
        "scene": int(header.get("scene", 0)),
        "scenes": [{"nodes": _indices(scene.get("nodes", []))} for scene in header.get("scenes", [])],
        "nodes": nodes,
        "meshes": meshes,
        "accessors": accessors,
        "bufferViews": [_view(view, len(binary)) for view in header.get("bufferViews", [])],
        "buffers": [{"byteLength": len(binary)}],
    }
    return _pack(kept, binary)


def _chunks(data: bytes) -> tuple[dict, bytes]:
    if len(data) < 20 or data[:4] != b"glTF":
        raise Refusal("it does not begin as a GLB file does")
    version, _, length, kind = struct.unpack_from("<4I", data, 4)
    if version != 2 or kind != _JSON:
        raise Refusal(f"it is not glTF 2.0 but version {version}")
    check_count(length, _MAX_JSON, "bytes of JSON")
    if 20 + length > len(data):
        raise Refusal(f"it declares {length:,} bytes of JSON and ends after {len(data) - 20:,}")
    header = json.loads(data[20 : 20 + length])
    binary = b""
    if len(data) >= 28 + length:
        size, kind = struct.unpack_from("<2I", data, 20 + length)
        binary = data[28 + length : 28 + length + size] if kind == _BIN else b""
    return header, binary


def _mesh(mesh: dict) -> dict:
    primitives = []
    for primitive in mesh["primitives"]:
        if primitive.get("mode", _TRIANGLES) in (_TRIANGLES, _STRIP) and "POSITION" in primitive["attributes"]:
            kept = {"attributes": {"POSITION": int(primitive["attributes"]["POSITION"])}}
            kept |= {key: int(primitive[key]) for key in ("mode", "indices") if key in primitive}
            primitives.append(kept)
    return {"primitives": primitives}


def _node(node: dict) -> dict:
    kept = {key: [float(x) for x in node[key]] for key in _POSE if key in node}
    if "mesh" in node:
        kept["mesh"] = int(node["mesh"])
    if "children" in node:
        kept["children"] = _indices(node["children"])
    return kept


def _indices(values: list) -> list[int]:
    check_count(len(values), MAX_PARTS, "nodes")
    return [int(value) for value in values]


def _accessor(accessor: dict, used: bool) -> dict:
    """An unused one keeps its place, because the others are known by their number."""
    if not used:
        return {"componentType": 5126, "type": "SCALAR", "count": 0}
    count, offset = int(accessor["count"]), int(accessor.get("byteOffset", 0))
    check_count(count, MAX_VERTICES, "vertices or corners in one part")
    if "bufferView" not in accessor or count < 0 or offset < 0 or accessor["type"] not in ("SCALAR", "VEC3"):
        raise Refusal("the vertices or faces of a part are not in its binary data")
    return {
        "bufferView": int(accessor["bufferView"]),
        "byteOffset": offset,
        "componentType": int(accessor["componentType"]),
        "type": accessor["type"],
        "count": count,
    }


def _view(view: dict, available: int) -> dict:
    start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
    if int(view.get("buffer", 0)) != 0:
        raise Refusal("its data lies outside the file: save it as one GLB")
    if start < 0 or length < 0 or start + length > available:
        raise Refusal(f"it declares data up to byte {start + length:,} and holds {available:,}")
    kept = {"buffer": 0, "byteOffset": start, "byteLength": length}
    if "byteStride" in view:
        kept["byteStride"] = int(view["byteStride"])
        if not 1 <= kept["byteStride"] <= 252:
            raise Refusal(f"its stride of {kept['byteStride']} bytes is not one of glTF's 4 to 252")
    return kept


def _check_tree(nodes: list[dict]) -> None:
    """glTF asks for strict trees. Anything else could place a part again and again, or for ever."""
    depth = [0] * len(nodes)
    children = [child for node in nodes for child in node.get("children", [])]
    if len(set(children)) != len(children) or any(not 0 <= child < len(nodes) for child in children):
        raise Refusal("its nodes are not a tree")
    waiting = sorted(set(range(len(nodes))) - set(children))
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1
        for child in nodes[node].get("children", []):
            depth[child] = depth[node] + 1
            waiting.append(child)
    if seen != len(nodes):
        raise Refusal("its nodes are not a tree")
    check_count(max(depth, default=0), MAX_DEPTH, "levels of nodes")


def _check_size(meshes: list[dict], nodes: list[dict], accessors: list[dict]) -> None:
    """Of the meshes as they are stored, and of the scene, where a mesh that is placed twice counts twice."""
    sizes = [_mesh_size(mesh, accessors) for mesh in meshes]
    for placed in (sizes, [sizes[node["mesh"]] for node in nodes if "mesh" in node]):
        check_count(sum(parts for parts, _, _ in placed), MAX_PARTS, "parts")
        check_count(sum(vertices for _, vertices, _ in placed), MAX_VERTICES, "vertices")
        check_count(sum(faces for _, _, faces in placed), MAX_FACES, "faces")


def _mesh_size(mesh: dict, accessors: list[dict]) -> tuple[int, int, int]:
    """Parts, vertices and faces."""
    vertices = faces = 0
    for primitive in mesh["primitives"]:
        position = primitive["attributes"]["POSITION"]
        corners = accessors[primitive.get("indices", position)]["count"]
        vertices += accessors[position]["count"]
        faces += corners if primitive.get("mode") == _STRIP else corners // 3
    return len(mesh["primitives"]), vertices, faces


def _pack(header: dict, binary: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    head = struct.pack("<4s2I", b"glTF", 2, 28 + len(text) + len(binary))
    return b"".join([head, struct.pack("<2I", len(text), _JSON), text, struct.pack("<2I", len(binary), _BIN), binary])
