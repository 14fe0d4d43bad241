"""Charts have room for what names their colours."""

from matplotlib.figure import Figure

from tfreid.report import charts


def test_names_that_do_not_fit_beside_each_other_stand_below_each_other(monkeypatch):
    drawn = []
    monkeypatch.setattr(charts, "_svg", lambda figure, title: drawn.append(figure))
    for names in (["a", "b", "c"], ["a long name of a model " * 2 + end for end in "abc"]):
        charts.rank1_bars({name: {"original": 0.5} for name in names}, chance=0.1)
    few, many = (legend_of(figure) for figure in drawn)
    assert (few._ncols, many._ncols) == (6, 1)
    assert many.get_window_extent().width < drawn[1].bbox.width


def legend_of(figure: Figure):
    (legend,) = figure.legends
    return legend
