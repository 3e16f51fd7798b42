"""The only module through which experiments read the test split.

Every choice (a learning rate, a sampler, when to stop) is made on `validation`, so that results on `test` hold for data
that no choice was made on. An experiment that makes a final table declares it (`Experiment.final`) and asks this module
for the split; other experiments are refused. tests/precompute/test_final.py checks that nothing else names the split,
and that no other experiment reads what a final table says.

Data sets and zoos of two splits have no test split. For them the held-out split is returned, as in earlier tables.
"""

import pandas as pd

from precompute.experiment import Experiment
from wsr.data import Signals
from wsr.data.splits import HELDOUT, TEST, names_of
from wsr.errors import WsrError
from wsr.zoo import Zoo


def final_fits(experiment: Experiment, zoo: Zoo) -> pd.DataFrame:
    """Returns the rows of the zoo's index that a final table covers, whatever their status: those of the test split, or
    the held-out ones of a zoo without a test split. WsrError if the experiment makes no final table."""
    _require(experiment)
    split = TEST if TEST in set(zoo.index["split"]) else HELDOUT
    return zoo.index[zoo.index["split"].isin(names_of(split))]


def final_signals(experiment: Experiment, signals: Signals) -> Signals:
    """Returns the signals that a final table covers: those of the test split, or the held-out ones of a data set
    without a test split. WsrError if the experiment makes no final table."""
    _require(experiment)
    return signals.where(split=TEST if TEST in signals.splits else HELDOUT)


def _require(experiment: Experiment) -> None:
    if not experiment.final:
        raise WsrError(
            f"The experiment {experiment.name!r} makes no final table and therefore must not read the test split: make "
            "its choices on `validation`, or declare final=True if nothing is chosen by its results."
        )
