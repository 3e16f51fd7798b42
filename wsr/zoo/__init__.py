"""Datasets of weights on disk: write, read, validate."""

from wsr.zoo.build import ZooRecord, build_zoo
from wsr.zoo.check import CheckReport, check_zoo, require_alike
from wsr.zoo.compress import compress_zoo
from wsr.zoo.shards import merge_zoos, shard
from wsr.zoo.zoo import Zoo

__all__ = [
    "CheckReport",
    "Zoo",
    "ZooRecord",
    "build_zoo",
    "check_zoo",
    "compress_zoo",
    "merge_zoos",
    "require_alike",
    "shard",
]
