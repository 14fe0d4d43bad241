"""Audits of trained models and the pages that show them."""

from tfreid.report.audit import AuditResult, Protocol, audit, available_variants
from tfreid.report.page import write_report

__all__ = ["AuditResult", "Protocol", "audit", "available_variants", "write_report"]
