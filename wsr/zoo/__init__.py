"""Zoos: data sets of fitted weights on disk. Building, reading, checking, compressing and merging them."""

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
