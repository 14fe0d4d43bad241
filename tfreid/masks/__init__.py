"""Makers of person masks: a trained run, a ready-made network, a network in a file.

What makes a mask, and what it says instead where it is not confident, is
`tfreid.records.mask_maker.MaskMaker`; masks that lie in files are attached to rows instead
(`tfreid.datasets.masks`).
"""

from tfreid.masks.makers import mask_maker
from tfreid.masks.ready import READY_NETWORKS, ReadyNetwork, fetch_network

__all__ = ["READY_NETWORKS", "ReadyNetwork", "fetch_network", "mask_maker"]
