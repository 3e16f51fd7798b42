"""What the page needs to say whether a sample is like real ones: features of each zoo's validation fits, and the
distance up to which a sample counts as like them (`wsr.analysis.realism`).

The report says how often that is right: the rate of validation fits that are called unlike, on each half with the
threshold of the other half, and of weights that are unlike real ones by construction.
"""

import numpy as np
import torch

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.audits import extractor_needed
from precompute.generators import DATASETS, THREADS
from precompute.selection import modality_of
from precompute.tables import write_json
from wsr.analysis.evaluation import decoded
from wsr.analysis.realism import RATE, Realism
from wsr.fields import registry
from wsr.generators.baselines import baselines
from wsr.progress import bar
from wsr.zoo import Zoo

DRAWN, SEED = 64, 0  # weights whose numbers are drawn independently


def run(cell: Cell, context: Context) -> None:
    calibrate(context.open_zoo(cell), context)


def calibrate(zoo: Zoo, context: Context) -> None:
    """Writes the measure of a zoo and the report on it."""
    weights = zoo.weights(zoo.good("heldout")["id"].tolist())
    model, extractor = zoo.representation.to(context.device), zoo.modality.extractor().to(context.device)
    resolution = zoo.modality.resolutions.judged
    drawn = dict(baselines(zoo.weights(zoo.good("train")["id"].tolist()), DRAWN, SEED))["Gaussian"]
    with bar(f"decode {zoo.path.name}") as update:
        both = torch.cat([weights, drawn]).to(context.device)
        found = decoded(model, both, extractor, resolution, update).features
    features, others = np.split(found.astype(np.float16).astype(np.float32), [len(weights)])  # as they are stored
    made = Realism.calibrated(extractor.name, resolution, features)
    made.save(context.path(f"metrics/realism-{zoo.path.name}.safetensors"))
    about = {"zoo": zoo.path.name, "extractor": made.extractor, "resolution": resolution, "fits": len(features)}
    about |= {"unit": made.unit, "threshold": made.threshold, "rate": made.rate}
    unlike = {f"half {side + 1}": _called_unlike(features[side::2], features[1 - side :: 2]) for side in (0, 1)}
    unlike["Gaussian"] = float(1 - made.like_real(others).mean())
    write_json(context.path(f"reports/realism-{zoo.path.name}.json"), about | {"unlike": unlike})


def _called_unlike(known: np.ndarray, others: np.ndarray) -> float:
    """The share of fits that is called unlike real ones by a measure that was calibrated on other fits."""
    return float(1 - Realism.calibrated("", 0, known).like_real(others).mean())


def settings(cell: Cell, context: Context) -> dict:
    return {"resolution": modality_of(cell.data).resolutions.judged, "rate": RATE, "drawn": DRAWN, "seed": SEED}


EXPERIMENT = Experiment(
    name="realism",
    title="`metrics/realism-*`, `reports/realism-*`: how far real fits are from each other, which judges samples",
    data=DATASETS,
    grid={"representation": registry.names},
    settings=settings,
    needs=lambda cell, context: ["zoos/{zoo}", *extractor_needed(cell.data)],
    makes=("metrics/realism-{zoo}.safetensors", "reports/realism-{zoo}.json"),
    run=run,
    threads=THREADS,
    place=15,
    size="0.1 to 0.5 MB each",
    time="3 min a zoo ᵃ",
)
