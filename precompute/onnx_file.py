"""Writes networks as ONNX files (protocol buffers), without the package onnx, which nothing else here needs."""

from collections.abc import Mapping, Sequence

IR, OPSET, FLOAT = 8, 13, 1
Node = tuple[str, Sequence[str], str]  # operator, inputs, output


def _number(value: int) -> bytes:
    low, value = value & 127, value >> 7
    return bytes([low | 128]) + _number(value) if value else bytes([low])


def _field(key: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _number(key << 3) + _number(value)
    content = value.encode() if isinstance(value, str) else value
    return _number(key << 3 | 2) + _number(len(content)) + content


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    """A tensor of fp32. shape: names for sides of any length."""
    sides = b"".join(_field(1, _field(1 if isinstance(side, int) else 2, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + _field(2, sides)))


def onnx_file(
    nodes: Sequence[Node], inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]
) -> bytes:  # fmt: skip
    """Returns an ONNX file. inputs, outputs: shapes by name."""
    graph = b"".join(
        _field(1, b"".join(_field(1, name) for name in given) + _field(2, output) + _field(4, operator))
        for operator, given, output in nodes
    )
    graph += _field(2, "field")
    graph += b"".join(_field(11, _value(name, shape)) for name, shape in inputs.items())
    graph += b"".join(_field(12, _value(name, shape)) for name, shape in outputs.items())
    return _field(1, IR) + _field(7, graph) + _field(8, _field(1, "") + _field(2, OPSET))
