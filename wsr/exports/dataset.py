"""A folder that Hugging Face's `datasets` loads: a Parquet file for each split, and a card that says what is in it."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wsr.errors import counted
from wsr.exports.base import README, Exported
from wsr.exports.tables import described, thumbnails
from wsr.imports.tables import META
from wsr.paths import make_dir

SIZE = 128
_NAMES = {"heldout": "validation"}  # of splits, as the Hub calls them
# What tells `datasets` that a column of {"bytes", "path"} is an image.
_FEATURES = {"info": {"features": {"image": {"_type": "Image"}}}}


def write(exported: Exported) -> None:
    """Writes data/<split>.parquet with weights, class, quality, attributes and a picture for each instance, zoo.json,
    and README.md."""
    weights = exported.weights
    flat = pa.array(weights.reshape(-1), pa.float32())
    columns = described(exported) | {
        "weights": pa.FixedSizeListArray.from_arrays(flat, weights.shape[1]), "image": thumbnails(exported, SIZE),
    }  # fmt: skip
    table, data = pa.table(columns), make_dir(exported.folder / "data")
    # zoo.json too, so that a table that is passed on alone still says what decodes it
    table = table.replace_schema_metadata({"huggingface": json.dumps(_FEATURES), META: json.dumps(exported.zoo.meta)})
    splits = {name: _NAMES.get(name, name) for name in pc.unique(table["split"]).to_pylist()}
    for name in sorted(set(splits.values())):
        mine = [one for one, theirs in splits.items() if theirs == name]
        pq.write_table(table.filter(pc.is_in(table["split"], pa.array(mine))), data / f"{name}-00000-of-00001.parquet")
    (exported.folder / "zoo.json").write_text(json.dumps(exported.zoo.meta))
    (exported.folder / README).write_text(card(exported, sorted(set(splits.values()))))


def card(exported: Exported, splits: list[str]) -> str:
    """Returns the card of the data set: its splits for programs, and what its weights are for people."""
    zoo, meta = exported.zoo, exported.zoo.meta
    files = "\n".join(f"  - split: {name}\n    path: data/{name}-*.parquet" for name in splits)
    base = f" adapting the base `{meta['base']}`" if meta["base"] else ""
    entries = "\n".join(f"| {one['name']} | {tuple(one['shape'])} | {one['offset']} |" for one in meta["layout"])
    return f"""---
configs:
- config_name: default
  data_files:
{files}
tags:
- weight-space
- neural-fields
---

# {zoo.path.name}

{counted(len(exported.ids), 'neural field')} of {zoo.modality.plural}, as weights:
{zoo.representation.kind.label}{base}.
Each row has `weights` ({counted(zoo.weights(exported.ids[:1]).shape[1], 'number')}, trained entries only), `class`,
`quality`
({zoo.modality.title}) and a picture of what the weights decode to. `zoo.json` says everything that decoding needs.

```python
from datasets import load_dataset

rows = load_dataset("FOLDER", split="{splits[0]}").with_format("numpy")
rows["weights"][:2]
```

| tensor | shape | begins at |
|---|---|---|
{entries}
"""
