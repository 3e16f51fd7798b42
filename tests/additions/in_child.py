"""Imported in the page's child processes: registers there what a test registers here."""

from tests.additions.film import FILM
from tests.additions.mixture import MIXTURE
from tests.additions.sound import SOUND
from tests.additions.toys import TOYS
from wsr import generators, modalities
from wsr.data import registry as data_sets
from wsr.fields import registry

registry.register(FILM)
generators.register(MIXTURE)
modalities.register(SOUND)
data_sets.register(TOYS)
