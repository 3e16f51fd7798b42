"""The Audit tab: how good and how new the samples of generators are."""
