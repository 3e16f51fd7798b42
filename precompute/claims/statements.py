"""The statements of the text and the abstract that consist of several claims, the five first ones for everybody."""

from itertools import chain

from precompute.claims import figure3, table1, table2, table3, table4, table5
from precompute.claims.claim import Claim, Group
from precompute.claims.reports import Reports
from precompute.tables import PAPER
from wsr.data.registry import slug

MLP, MLP_MASKED, LORA, LORA_MASKED, MLORA, BEST = PAPER["representations"]
MULTIPLICATIVE, ADDITIVE = (MLORA, BEST), (LORA, LORA_MASKED)
FITTED = ("ffhq_psnr.faces", "shapenet_cd_a.shapes10-airplane", "shapenet_cd_m.shapes10")
GENERATED = ("table2", "table3.multi", "table3.airplane")
MEASURED = ("fd", "mmd_g", "mmd_p")

# Id, the statement, where it stands, which claims it consists of (beginnings of their ids and what follows the last
# point), whether it leads.
STATED = (
    ("adapters-fit-better", "adapters of a base reconstruct better than standalone MLPs", "Section 4.1",
     [(f"table1.{of}.", f"{a}>{b}") for of in FITTED for a in (LORA, MLORA) for b in (MLP, MLP_MASKED)], True),
    ("one-linear-mode", "masked multiplicative adapters end in one linear mode, whatever their start", "Section 4.2",
     [("figure3.barrier.", f"{BEST}>{other}") for other in PAPER["representations"][:-1]] + [("figure3.steady.", BEST)],
     True),
    ("generates-better", "a generator of mLoRA-Asym's weights is better than HyperDiffusion", "Section 4.3",
     [(f"{of}.{key}.", f"{BEST}>{MLP}") for of in GENERATED for key in MEASURED], True),
    ("most-readable", "mLoRA's weights tell the category best", "Section 4.4",
     [("table4.", f"{MLORA}>{other}") for other in (MLP, MLP_MASKED, LORA, LORA_MASKED, BEST)], True),
    ("layer-encoder", "the layer encoder makes samples better", "Section 10",
     [("table5.", f"{BEST}>{slug(table5.FLAT)}")], True),
    ("mask-fits-better", "mLoRA-Asym reconstructs better than mLoRA, though entries are frozen", "Section 4.1",
     [(f"table1.{of}.", f"{BEST}>{MLORA}") for of in FITTED], False),
    ("additive-fail", "generators of additive adapters fail", "Section 4.3",
     [("table3.", f"{MLP}>{other}") for other in ADDITIVE], False),
    ("mask-lowers-barrier", "the mask lowers the barrier of every kind", "Section 4.2",
     [("figure3.barrier.", f"{a}>{b}") for a, b in ((MLP_MASKED, MLP), (LORA_MASKED, LORA), (BEST, MLORA))], False),
    ("progression", "what can be read in weights grows from MLPs to additive to multiplicative adapters", "Section 4.4",
     [("table4.", f"{a}>{b}") for a, b in ((LORA, MLP), (MLORA, LORA))], False),
)  # fmt: skip


def claims(reports: Reports) -> list[Claim]:
    known = [claim.id for claim in chain.from_iterable(group.claims(reports) for group in GROUPS)]
    found = []
    for name, says, where, of, headline in STATED:
        parts = tuple(one for one in known if any(one.startswith(a) and one.rpartition(".")[2] == b for a, b in of))
        found.append(Claim(id=f"statement.{name}", says=says, where=where, parts=parts, headline=headline))
    return found


GROUPS = [module.GROUP for module in (table1, table2, table3, table4, table5, figure3)]
GROUP = Group(
    name="statements",
    title="Statements",
    place=10,
    claims=claims,
    reports=tuple(name for group in GROUPS for name in group.reports),
    further=tuple(name for group in GROUPS for name in group.further),
    intro="Each consists of claims above.",
)
