"""Audits of trained models and the pages that show them."""

from tfreid.report.audit import LIST_LENGTH, audit, available_variants, images_to_see
from tfreid.report.averaging import Average, average_runs
from tfreid.report.counts import describe_counts
from tfreid.report.descriptors import Descriptors
from tfreid.report.evaluation_sets import EvaluationSet, evaluation_sets
from tfreid.report.measurement import Measurement
from tfreid.report.page import write_report
from tfreid.report.rankings import check_rankings_path, write_rankings
from tfreid.report.result import AuditResult, data_source, evaluation_metrics
from tfreid.report.segmentation import score_parser
from tfreid.report.table import print_table

__all__ = [
    "LIST_LENGTH",
    "AuditResult",
    "Average",
    "Descriptors",
    "EvaluationSet",
    "Measurement",
    "audit",
    "available_variants",
    "average_runs",
    "check_rankings_path",
    "data_source",
    "describe_counts",
    "evaluation_metrics",
    "evaluation_sets",
    "images_to_see",
    "print_table",
    "score_parser",
    "write_rankings",
    "write_report",
]
