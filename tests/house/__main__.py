"""`python -m tests.house` prints what breaks the rules."""

from tests.house import RULES, broken

for rule in RULES:
    places = broken(rule)
    print(f"{rule}: {len(places)}", *places, sep="\n  ")
