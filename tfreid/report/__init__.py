"""Draws what was measured: one page, and tables on the terminal."""

from tfreid.report.badge import badge
from tfreid.report.counts import counts_in_words
from tfreid.report.gains import Attribution
from tfreid.report.page import write_report
from tfreid.report.rankings import check_rankings_path, write_rankings
from tfreid.report.table import print_intervals, print_table
from tfreid.report.verdicts import sentences

__all__ = [
    "Attribution",
    "badge",
    "check_rankings_path",
    "counts_in_words",
    "print_intervals",
    "print_table",
    "sentences",
    "write_rankings",
    "write_report",
]
