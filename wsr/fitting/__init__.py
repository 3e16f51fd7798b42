"""Training of base fields (as variational autodecoders), and fitting of instances in batches: `wsr.fit`.

Nothing is imported here. Two threads that begin with different files of a package whose `__init__` imports its files
wait for each other, and Python then ends one of them with an error: the page's first visitor saw no network.
"""
