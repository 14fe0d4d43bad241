"""The tables that can be reproduced, one file a paper."""

from tfreid.errors import UsageError
from tfreid.reproduction.table import Table, nearest
from tfreid.reproduction.tables import fanet, fanet_ladder, fpr, pgp, spreid
from tfreid.reproduction.tables.published import with_published

_TABLES: dict[str, Table] = {
    "fanet/1": fanet.TABLE_1,
    "fanet/2": fanet.TABLE_2,
    "fanet/3": fanet.TABLE_3,
    "fanet/4": fanet.TABLE_4,
    "fanet/5": fanet.TABLE_5,
    "fanet/figure5": fanet.FIGURE_5,
    "fanet/ladder": fanet_ladder.LADDER,
    "fpr/3": fpr.TABLE_3,
    "fpr/4": fpr.TABLE_4,
    "fpr/figure7": fpr.FIGURE_7,
    "pgp/1": pgp.TABLE_1,
    "pgp/2": pgp.TABLE_2,
    "pgp/3": pgp.TABLE_3,
    "pgp/4": pgp.TABLE_4,
    "pgp/5": pgp.TABLE_5,
    "pgp/figure3": pgp.FIGURE_3,
    "spreid/1": spreid.TABLE_1,
    "spreid/2": spreid.TABLE_2,
    "spreid/3": spreid.TABLE_3,
    "spreid/4": spreid.TABLE_4,
    "spreid/5": spreid.TABLE_5,
    "spreid/6": spreid.TABLE_6,
}

TABLES = {name: with_published(table) for name, table in _TABLES.items()}
"""Name, as in `--table`, to table."""


def table_named(name: str) -> Table:
    """Looks a table up.

    Raises:
      UsageError: if there is none of that name.
    """
    if name not in TABLES:
        raise UsageError(f"no table {name!r}: {nearest(name, TABLES)}")
    return TABLES[name]
