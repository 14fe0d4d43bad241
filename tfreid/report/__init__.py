"""Audits of trained models and the pages that show them."""

from tfreid.report.audit import LIST_LENGTH, audit, available_variants, images_to_see
from tfreid.report.averaging import Average, average_runs
from tfreid.report.combination import Describer, Network
from tfreid.report.counts import describe_counts
from tfreid.report.descriptors import Descriptors
from tfreid.report.evaluation_sets import EvaluationSet, evaluation_sets
from tfreid.report.measurement import Measurement
from tfreid.report.page import write_report
from tfreid.report.position_store import PositionStore, open_stores
from tfreid.report.rankings import check_rankings_path, write_rankings
from tfreid.report.reranking import require_memory
from tfreid.report.result import AuditResult, data_source, evaluation_metrics
from tfreid.report.segmentation import score_parser
from tfreid.report.table import figure_rows, print_table

__all__ = [
    "LIST_LENGTH",
    "AuditResult",
    "Average",
    "Describer",
    "Descriptors",
    "EvaluationSet",
    "Measurement",
    "Network",
    "PositionStore",
    "audit",
    "available_variants",
    "average_runs",
    "check_rankings_path",
    "data_source",
    "describe_counts",
    "evaluation_metrics",
    "evaluation_sets",
    "figure_rows",
    "images_to_see",
    "open_stores",
    "print_table",
    "require_memory",
    "score_parser",
    "write_rankings",
    "write_report",
]
