"""The one place where experiments read the test split.

Every choice (a rate, a sampler, when to stop) is made on `validation`, so that what the test says of it is true of data
that nobody has looked at. An experiment that makes a final table declares it (`Experiment.final`) and asks here; all
others are refused. tests/precompute/test_final.py holds that nothing else names the split, and that no other experiment
reads what a final table says.

Data sets and zoos of two splits have no test: there the held-out part is returned, as in earlier tables.
"""

import pandas as pd

from precompute.experiment import Experiment
from wsr.data import Signals
from wsr.data.splits import HELDOUT, TEST, names_of
from wsr.errors import WsrError
from wsr.zoo import Zoo


def final_fits(experiment: Experiment, zoo: Zoo) -> pd.DataFrame:
    """Returns the rows of the zoo's index that a final table is of, whatever their status: those of the test split, or
    of a zoo that has none the held-out ones. WsrError where the experiment makes no final table."""
    _require(experiment)
    split = TEST if TEST in set(zoo.index["split"]) else HELDOUT
    return zoo.index[zoo.index["split"].isin(names_of(split))]


def final_signals(experiment: Experiment, signals: Signals) -> Signals:
    """Returns the signals that a final table is of: those of the test split, or of a data set that has none the
    held-out ones. WsrError where the experiment makes no final table."""
    _require(experiment)
    return signals.where(split=TEST if TEST in signals.splits else HELDOUT)


def _require(experiment: Experiment) -> None:
    if not experiment.final:
        raise WsrError(
            f"The experiment {experiment.name!r} is no final table, and so must not read the test split: make its "
            "choices on `validation`, or declare final=True where nothing is chosen by what it finds."
        )
