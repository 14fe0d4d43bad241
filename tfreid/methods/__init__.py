"""The published methods, one folder each."""

from tfreid.methods import dgd, fanet, fpr, parsing, pgp, spreid
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fields import choice, paper

METHODS: dict[str, Method] = {
    "dgd": dgd.METHOD,
    "fanet": fanet.METHOD,
    "fpr": fpr.METHOD,
    "parsing": parsing.METHOD,
    "pgp": pgp.METHOD,
    "spreid": spreid.METHOD,
}
"""Name, as in `--method`, to method."""

__all__ = ["METHODS", "Group", "Method", "Stage", "choice", "paper"]
