"""What a table of a paper is, as data."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tfreid.errors import UsageError


@dataclass(frozen=True)
class Column:
    """One figure of each row.

    Attributes:
      heading: as in the paper.
      figure: where the evaluation of a run has it, `"{variant}.rank1"` for example; `{variant}`
        stands for the row's.
    """

    heading: str
    figure: str


@dataclass(frozen=True)
class TableRow:
    """One model of a table, and how it is tested.

    Attributes:
      name: as in the paper.
      method: key of `tfreid.methods.METHODS`; empty for a row that only combines others.
      recipe: field (`"main.steps"` for one of a nested recipe) to value where the row departs
        from the method's recipe.
      variant: background variant of the test images.
      copies: copies of each training image that conversion put before random backgrounds
        (`tfreid.convert --offline_random_background`).
      after: the model whose weights training starts from; it then trains on the data set that is
        tested, whatever the other trained on.
      combines: models whose descriptors are joined to one.
      rerank: whether the figures are those after re-ranking.
      matching: how position features are compared, a mode of `tfreid.evaluate --matching`; empty
        for a model without them, whose descriptors are compared by their cosine.
      weights: of the models in `combines`, of each one's cosine; the same for all unless given.
      demo: fields to value that replace those of `recipe` at demo scale.
      against: row of the table that this one is compared with; the one before it unless given.
      paper: the paper's figures in percent and as printed, in the order of the table's columns, by
        the data set that they were measured on (`tfreid.reproduction.PublishedData`); None where
        the paper has none.
    """

    name: str
    method: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    variant: str = "original"
    copies: int = 0
    after: "TableRow | None" = None
    combines: tuple["TableRow", ...] = ()
    rerank: bool = False
    matching: str = ""
    weights: tuple[int, ...] = ()
    demo: Mapping[str, Any] = field(default_factory=dict)
    against: str = ""
    paper: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def recipe_at(self, scale: str) -> dict[str, Any]:
        """Returns the fields that it sets at `"paper"` or `"demo"` scale."""
        return {**self.recipe, **(self.demo if scale == "demo" else {})}

    @property
    def trained(self) -> tuple["TableRow", ...]:
        """The models that have to be trained for the row, in that order."""
        before = (*self.combines, *([self.after] if self.after else []))
        first = tuple(row for other in before for row in other.trained)
        return first if self.combines else (*first, self)


@dataclass(frozen=True)
class Comparison:
    """Two cells of a table: of which the paper says that one is higher, or in a table of ours.

    Attributes:
      row: name of the row.
      other: name of the row that it is compared with.
      column: heading.
      other_column: heading in the other row; the same unless given.
      sign: 1 where the paper's text says that the first is higher, -1 where it says lower; 0 where
        that follows from the published figures, or nothing is published.
    """

    row: str
    other: str
    column: str
    other_column: str = ""
    sign: int = 0


@dataclass(frozen=True)
class Table:
    """A table or figure of a paper.

    Attributes:
      name: as in `--table`.
      title: what it shows.
      source: the paper and the number of the table there.
      columns: figures that the paper has, too.
      rows: in the paper's order.
      extra: further figures of ours.
      data: kind of the records that models are tested on, `"reid"` or `"parsing"`.
      across: whether models are tested on another data set than they are trained on.
      occluded: whether that is one of occluded persons, which are for tests alone.
      average_precision: the paper's, as in `tfreid.evaluate --average_precision`.
      headline: heading of the column by which rows are compared; the first unless given.
      comparisons: what is compared; each row that has published figures with another unless given
        (`TableRow.against`).
      note: what a reader has to know to compare.
      worlds: embedded data sets that it is measured on: suffix of the folder to the flags of
        `tfreid.synthesize` that draw them.
    """

    name: str
    title: str
    source: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    extra: tuple[Column, ...] = ()
    data: str = "reid"
    across: bool = False
    occluded: bool = False
    average_precision: str = "mean"
    headline: str = ""
    comparisons: tuple[Comparison, ...] = ()
    note: str = ""
    worlds: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"": ()})

    @property
    def variants(self) -> set[str]:
        """The background variants of the test images that the rows need."""
        figures = [column.figure for column in self.columns]
        return {
            figure.format(variant=row.variant).split(".")[0]
            for row in self.rows
            for figure in figures
        }

    @property
    def published(self) -> tuple[str, ...]:
        """The data sets that the paper has figures of, in its order."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.paper))

    @property
    def headings(self) -> list[str]:
        """Headings of the columns that the paper has."""
        return [column.heading for column in self.columns]

    @property
    def is_ours(self) -> bool:
        """Whether no paper says which of the rows that are compared is higher."""
        return not self.published and not any(one.sign for one in self.comparisons)

    @property
    def compared(self) -> tuple[Comparison, ...]:
        """The differences of interest, by which our figures agree with the paper's or not."""
        column = self.headline or self.columns[0].heading
        pairs = zip(self.rows, self.rows[1:], strict=False)
        return self.comparisons or tuple(
            Comparison(row.name, row.against or before.name, column)
            for before, row in pairs
            if row.paper
        )

    def with_rows(self, names: Sequence[str]) -> "Table":
        """Returns the table with some of its rows only; all if no name is given.

        Raises:
          UsageError: if there is no row of a name.
        """
        known = {row.name: row for row in self.rows}
        for name in names:
            if name not in known:
                raise UsageError(f"{self.name} has no row {name!r}: {nearest(name, known)}")
        return replace(self, rows=tuple(known[name] for name in names)) if names else self

    def with_matching(self, mode: str) -> "Table":
        """Returns the table with position features compared in another way.

        Raises:
          UsageError: if no row has position features.
        """
        if not any(row.matching for row in self.rows):
            raise UsageError(
                f"matching={mode} is for models with position features (FPR), which {self.name} "
                "has none of: leave it out"
            )
        rows = (replace(row, matching=mode if row.matching else "") for row in self.rows)
        return replace(self, rows=tuple(rows))


def nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Returns a hint for a user who gave a name that is not known."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}There are {', '.join(known)}"
