"""Pictures that the page draws itself: operations a picture and operations a second, the server's work for a visitor,
and other ways to evaluate networks in a browser."""

from pathlib import Path

from precompute import field_arithmetic, field_backends, field_visit
from precompute.experiment import Cell, Context, Found, of_this_machine
from precompute.tables import write_json
from wsr.paths import atomic_path

PARTS = {"arithmetic": field_arithmetic, "visit": field_visit, "backends": field_backends}
NAMES = {"processor": "JavaScript", "WebAssembly": "WebAssembly", "WebGL": "WebGL in software"}
SHIPPED = (
    "We ship our own ways, all together {own:.0f} kB, where onnxruntime-web is {theirs:.0f} MB: seven times what the "
    "whole page may send at the first load. Our WebAssembly does on one thread what theirs does, with a kernel of "
    "0.5 kB, and our shader needs no WebGPU. At the first picture, the page takes the way that is fastest on the "
    "visitor's machine."
)


def run(cell: Cell, context: Context) -> dict:
    return PARTS[cell["part"]].measured()


def report(found: Found, paths: list[Path], context: Context) -> None:
    parts = {cell["part"]: result for cell, result in found}
    write_json(paths[0], parts)
    with atomic_path(paths[1]) as temporary:
        temporary.write_text("\n".join(line for part, result in parts.items() for line in _TOLD[part](result)) + "\n")


def _arithmetic(found: dict) -> list[str]:
    size, frame = found["size"], found["frame"]
    lines = [
        f"Operations (multiplications and additions) of a picture of {size}² pixels, and the seconds of drawing one "
        "anew from its vector on this machine, median of five, with operations a second. A laptop's GPU is an "
        f"estimate: that it does {found['laptop operations/s'] / 1e9:.0f}·10⁹ operations a second, a tenth of the "
        "least that makers of integrated GPUs state.",
        "",
        f"| representation | operations | {' | '.join(NAMES.values())} | a laptop's GPU (estimate) |",
        "|---|---|" + "---|" * (len(NAMES) + 1),
    ]
    for row in found["rows"]:
        times = (f"{row[f'{one} s']:.2f} s ({row[f'{one} operations/s'] / 1e9:.1f}·10⁹/s)" for one in NAMES)
        operations, laptop = f"{row['operations'] / 1e9:.2f}·10⁹", f"{1000 * row['laptop s']:.0f} ms"
        lines.append(f"| {row['representation']} | {operations} | {' | '.join(times)} | {laptop} |")
    named = NAMES | {"laptop": "a laptop, estimated"}
    rates = ", ".join(f"{frame[f'{one} frames/s']:g} ({name})" for one, name in named.items())
    said = f"A frame of α is six pictures of {frame['size']}² pixels, {frame['operations'] / 1e9:.2f}·10⁹ operations."
    said += f" Frames a second at this size: {rates}. Where they are fewer than ten, the size falls."
    return [*lines, "", said, ""]


def _visit(found: dict) -> list[str]:
    lines = [
        f"The server's work while a visitor moves sliders, {found['steps']} steps of each, once the tab is open:",
        "",
        "| what moves | pictures drawn | requests | CPU seconds of the server |",
        "|---|---|---|---|",
    ]
    for way, parts in found["ways"].items():
        for name, row in parts.items():
            lines.append(f"| {name} | {way} | {row['requests']} | {row['cpu_seconds']:.2f} |")
    return [*lines, ""]


def _backends(found: dict) -> list[str]:
    sizes = [f"{size}² s" for size in found["sizes"]]
    lines = [
        f"One picture of {found['representation']} from new weights, median seconds, beside {found['package']}:",
        "",
        "| way | bytes | " + " | ".join(size.replace(" s", " pixels") for size in sizes) + " |",
        "|---|---|" + "---|" * len(sizes),
    ]
    for row in found["rows"]:
        times = [f"{row[size]:.2f} s" if size in row else row["error"] for size in sizes]
        lines.append(f"| {row['way']} | {row['bytes']:,} | {' | '.join(times)} |")
    own, theirs = (next(row["bytes"] for row in found["rows"] if key in row["way"]) for key in ("ours", "onnx"))
    return [*lines, "", SHIPPED.format(own=own / 1e3, theirs=theirs / 1e6)]


_TOLD = {"arithmetic": _arithmetic, "visit": _visit, "backends": _backends}
EXPERIMENT = of_this_machine(
    name="field_speed",
    title="`reports/field-speed.*`: operations and times of pictures that the page draws itself, the server's work for "
    "a visitor with and without that, and onnxruntime-web on the same network",
    grid={"part": tuple(PARTS)},
    run=run,
    report=report,
    reports=("reports/field-speed.json", "reports/field-speed.md"),
    place=31,
    size="6 kB",
    time="10 min",
)
