"""How good and how new generated weights are, for every zoo that a diffusion model has learnt from.

For each zoo this writes three reports. reports/generation-<zoo>.json has FD and MMD (for shapes also mMD, COV, 1-NNA
and floating pieces) of every seed's samples against the fits of a final table (precompute.final), and the share of
samples that a classifier assigns to the class they were sampled for. The thresholds that decide which weights are
copies are set on validation fits. reports/audit-<zoo>.{parquet,json}, which the Audit tab draws, has quality and
novelty of the samples of every registered generator. reports/samples-<name>.webp shows the first 64 samples, without
selection.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.peers import LEARNT
from precompute.final import final_fits
from precompute.generators import DATASETS, THREADS, generators
from precompute.records import parsed
from precompute.selection import has_surfaces, modality_of
from precompute.tables import write_json
from wsr.analysis.evaluation import COUNT, Decoded, Evaluation
from wsr.analysis.plane import audit_report
from wsr.data.shapes10 import CATEGORIES
from wsr.fields import registry
from wsr.generators.registry import GeneratorKind, kinds
from wsr.identity import differences
from wsr.paths import atomic_path
from wsr.progress import bar
from wsr.render.pictures import contact_sheet, draw_weights
from wsr.zoo import Zoo

SHOWN, CELL = 64, 96
DECODED = 256  # how many samples of a model are decoded; a shape takes a quarter of a second
PAIR_POINTS = 1024  # points of a cloud in distances between clouds: a model has some 150,000 of these, at 0.4 ms each


def run(cell: Cell, context: Context) -> None:
    audit(context.open_zoo(cell), samples(cell, context), context)


def audit(zoo: Zoo, own: list[str], context: Context) -> None:
    """Writes the three reports of a zoo. own: paths of the samples of its diffusion models, those of the first seed
    first; those that do not exist are left out."""
    reports, name = context.path("reports"), zoo.path.name
    there = [path for path in own if context.path(path).exists()]
    made = {path.partition("/")[2]: Zoo.open(context.path(path)) for path in there}
    paths = {kind: context.path(f"samples/{kind.stem(name)}") for kind in compared()}
    others = {kind: Zoo.open(path) for kind, path in paths.items() if path.exists()}
    made |= {kind.stem(name): found for kind, found in others.items() if len(found) >= COUNT}
    with bar(f"fits {name}") as update:
        final = final_fits(EXPERIMENT, zoo)
        counts = [len(zoo.good("train")), len(zoo.good("heldout")), int((final["status"] == "ok").sum())]
        sizes = [COUNT, DECODED, *counts, *map(len, made.values())]
        options = {"count": min(sizes), "resolution": zoo.modality.resolutions.judged}  # small sets have fewer
        options |= {"pair_points": PAIR_POINTS, "progress": update}
        evaluation = Evaluation(zoo.to(context.device), zoo.modality.extractor().to(context.device), **options)
        evaluation.compare_with(final, update)
    seen = {}
    with bar(f"decode {name}") as update:
        for model, found in made.items():
            seen[model] = evaluation.decoded(found.weights()[:DECODED], classes=found.index["class"].tolist()[:DECODED])
            update(len(seen), len(made), model)
    split = {"split": final["split"].iloc[0]}
    write_json(reports / f"generation-{name}.json", split | evaluated(evaluation, made, seen))
    shown = {"diffusion": made[name].weights()[:DECODED]}
    shown |= {kind.title: found.weights() for kind, found in others.items()}
    with bar(f"audit {name}") as update:
        table, about = audit_report(zoo, evaluation, shown, decoded={"diffusion": seen[name]}, progress=update)
    with atomic_path(reports / f"audit-{name}.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    write_json(reports / f"audit-{name}.json", about)
    for model, found in made.items():
        picture(zoo, found.weights()[:SHOWN], reports / f"samples-{model}.webp")


def evaluated(evaluation: Evaluation, made: dict[str, Zoo], seen: dict[str, Decoded]) -> dict:
    rows = []
    fits = evaluation.known[evaluation.unseen]
    accuracy = {"held out": classifier_accuracy(evaluation, fits.classes, fits)}
    with bar(f"evaluate {evaluation.zoo.path.name}") as update:
        for done, model in enumerate(made):
            accuracy[model] = classifier_accuracy(evaluation, seen[model].classes, seen[model])
            table = evaluation.table(seen[model])
            rows += [row | {"model": model} for row in table.to_dict("records") if row["set"] == "samples" or not done]
            update(done + 1, len(made), f"{model}: FD {table['FD'].iloc[1]:.3f}")
    about = {"zoo": evaluation.zoo.path.name, "extractor": evaluation.extractor.name}
    about |= {"resolution": evaluation.resolution, "points of a distance": PAIR_POINTS}
    return about | {"samples": DECODED, "classifier_accuracy": accuracy, "rows": rows}


def classifier_accuracy(evaluation: Evaluation, classes: np.ndarray, seen: Decoded) -> float | None:
    """The share of shapes that PointNet++ assigns to the class they were sampled for. None for images, which have no
    classifier here, and for shapes of classes on which PointNet++ was not trained."""
    names = sorted(set(evaluation.zoo.good("train")["class"]))
    if seen.clouds is None or names != sorted(CATEGORIES):
        return None
    with torch.no_grad():
        features = torch.from_numpy(seen.features).to(evaluation.extractor.device)
        found = evaluation.extractor.network.fc3(features).argmax(1)
    return float(np.mean([names[i] == cls for i, cls in zip(found.tolist(), classes, strict=True)]))


def samples(cell: Cell, context: Context) -> list[str]:
    """The paths of the samples of all diffusion models of the cell's zoo, those of the first seed first."""
    of = [one for one in generators((cell.data,)) if one.representation == cell.representation]
    return [f"samples/{one.name(context)}" for one in of]


def picture(zoo: Zoo, weights: torch.Tensor, path: Path) -> None:
    """Draws the samples in the order in which they were sampled, eight in a row."""
    resolution = zoo.modality.resolutions.judged if zoo.modality.has_surface else CELL
    cells = draw_weights(zoo.representation, weights, resolution, CELL)
    with atomic_path(path) as temporary:
        Image.fromarray(contact_sheet(cells, 8, gap=0)).save(temporary, format="webp", quality=85)


def settings(cell: Cell, context: Context) -> dict:
    resolution = modality_of(cell.data).resolutions.judged
    return {"decoded": DECODED, "pair_points": PAIR_POINTS, "resolution": resolution}


def changed(cell: Cell, context: Context) -> list[str]:
    """The differences, in words, between the settings that a zoo's report states and those of now."""
    told = parsed(context.path(f"reports/generation-{context.zoo(cell.data, cell.representation)}.json"))
    names = {"decoded": "samples", "pair_points": "points of a distance", "resolution": "resolution"}
    return differences({ours: told[theirs] for ours, theirs in names.items()}, settings(cell, context))


def needs(cell: Cell, context: Context) -> list[str]:
    return ["zoos/{zoo}", "samples/{zoo}", *extractor_needed(cell.data)]


def extractor_needed(data: str) -> list[str]:
    """The path of the feature extractor that a data set's signals are judged by, if it is one of our own."""
    return ["metrics/pointnet-shapes10.safetensors"] * has_surfaces(data)


def compared() -> list[GeneratorKind]:
    """The registered generators whose samples an audit compares with ours."""
    return [kind for kind in kinds() if kind.audited and kind.role != "own"]


def uses(cell: Cell, context: Context) -> list[str]:
    zoo, others = context.zoo(cell.data, cell.representation), compared() if cell.representation in LEARNT else []
    return [*samples(cell, context)[1:], *(f"samples/{kind.stem(zoo)}" for kind in others)]


EXPERIMENT = Experiment(
    name="audits",
    title="`reports/generation-*`, `reports/audit-*`, `reports/samples-*`: how good and how new generated weights are",
    data=DATASETS,
    grid={"representation": registry.names},
    settings=settings,
    needs=needs,
    uses=uses,
    makes=("reports/generation-{zoo}.json", "reports/audit-{zoo}.json", "reports/audit-{zoo}.parquet",
           "reports/samples-{zoo}.webp"),
    run=run,
    final=True,
    changed=changed,
    threads=THREADS,  # two audits side by side use two cores better than one that uses both
    place=14,
    size="0.2 MB each",
    time="5 to 15 min a zoo ᵃ",
)  # fmt: skip
