"""Which data a paper's figures are of, and whether ours are of the same.

A figure stands beside ours only where data set, boxes, queries and protocol are the same, and where
the protocol means over several splits, only beside the mean over all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tfreid.datasets import PROTOCOLS, parse_name
from tfreid.records import RecordsInfo
from tfreid.reproduction.settings import Setting

_PROTOCOLS = {
    **dict.fromkeys(("cuhk01", "viper", "3dpes"), "random_half"),
    **dict.fromkeys(("partial_reid", "partial_ilids", "occluded_reid"), "no_camera"),
}


@dataclass(frozen=True)
class PublishedData:
    """What figures of a paper were measured on.

    Attributes:
      key: as in `TableRow.paper`: `cuhk03:labeled,classic`, `market1501→partial_reid:occluded`.
      trained_on: data set that models learn from, where it is another; else empty, and the one that
        they are tested on is among those that they learn from.
      name: data set that they are tested on.
      options: its choices that matter.
    """

    key: str
    trained_on: str
    name: str
    options: Mapping[str, str]

    @classmethod
    def of(cls, key: str) -> "PublishedData":
        """Reads a key of `TableRow.paper`.

        Raises:
          UsageError: if there is no such data set or choice.
        """
        trained_on, _, tested = key.rpartition("→")
        dataset, options = parse_name(tested)
        return cls(key, trained_on, dataset.name, options)

    @property
    def protocol(self) -> str:
        """Key of `tfreid.datasets.PROTOCOLS`."""
        if self.options.get("protocol") == "classic":
            return "cuhk03_classic"
        return _PROTOCOLS.get(self.name, "market")

    def mismatch(self, setting: Setting, splits: int = 1) -> str:
        """Tells why the figures are not of a setting's data; empty if they are.

        Args:
          setting: data to train and to test on.
          splits: number of splits that our figures are the mean of.
        """
        info = setting.test.info
        if setting.is_synthetic:
            return "these images are drawn"
        if info.name != self.name:
            return f"these data are {info.name}"
        if info.kind == "parsing":
            return ""
        if not self._is_learned_from(setting.train.info):
            return f"these models learn from {setting.train.info.name}"
        return self._other_choices(info) or self._other_protocol(info, splits)

    def _is_learned_from(self, info: RecordsInfo) -> bool:
        if self.trained_on:
            return info.name == self.trained_on
        return self.name in (info.sources or {info.name})

    def _other_choices(self, info: RecordsInfo) -> str:
        source = info.sources.get(info.name)
        found = source.options if source else {}
        if any(found.get(option) != value for option, value in self.options.items()):
            chosen = ",".join(found.values()) or "of choices that an earlier release did not note"
            return f"these data are {info.name}:{chosen}"
        return ""

    def _other_protocol(self, info: RecordsInfo, splits: int) -> str:
        own = protocol_of(info)
        if own != self.protocol:
            return f"these are of the protocol {own}"
        needed = PROTOCOLS[own].num_splits
        return "" if splits == needed else f"these are of {splits} of its {needed} splits"


def protocol_of(info: RecordsInfo) -> str:
    """Returns the protocol by which a converted data set is tested: its own."""
    source = info.sources.get(info.name)
    return source.protocol if source else "market"
