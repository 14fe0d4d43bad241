"""Audits of trained models and the pages that show them."""

from tfreid.report.audit import (
    AuditResult,
    Protocol,
    audit,
    available_variants,
    data_source,
    images_to_see,
)
from tfreid.report.descriptors import Descriptors
from tfreid.report.page import write_report
from tfreid.report.segmentation import score_parser
from tfreid.report.table import print_table

__all__ = [
    "AuditResult",
    "Descriptors",
    "Protocol",
    "audit",
    "available_variants",
    "data_source",
    "images_to_see",
    "print_table",
    "score_parser",
    "write_report",
]
