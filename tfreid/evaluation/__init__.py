"""How models are measured: descriptors, rankings, attention, and the audit of their background."""

from tfreid.evaluation.attention import EXPLAINED_IMAGES
from tfreid.evaluation.audit import audit, available_variants, images_to_see, variants_of
from tfreid.evaluation.averaging import Average, average_runs
from tfreid.evaluation.described import described_network
from tfreid.evaluation.describer import DescribedNetwork, Describer
from tfreid.evaluation.descriptor_files import read_descriptors
from tfreid.evaluation.descriptors import Descriptors
from tfreid.evaluation.document import audit_document
from tfreid.evaluation.exchange import measured_variants, write_images
from tfreid.evaluation.gains import Change, Gain, gains
from tfreid.evaluation.measurement import LIST_LENGTH, Measurement
from tfreid.evaluation.position_store import PositionStore, open_stores
from tfreid.evaluation.ranker import require_memory
from tfreid.evaluation.result import (
    AuditResult,
    data_source,
    evaluation_metrics,
    figure_rows,
)
from tfreid.evaluation.segmentation import score_parser
from tfreid.evaluation.sets import EvaluationSet, evaluation_sets
from tfreid.evaluation.verdict import Verdict
from tfreid.nn.network import Network

__all__ = [
    "EXPLAINED_IMAGES",
    "LIST_LENGTH",
    "AuditResult",
    "Average",
    "Change",
    "DescribedNetwork",
    "Describer",
    "Descriptors",
    "EvaluationSet",
    "Gain",
    "Measurement",
    "Network",
    "PositionStore",
    "Verdict",
    "audit",
    "audit_document",
    "available_variants",
    "average_runs",
    "data_source",
    "described_network",
    "evaluation_metrics",
    "evaluation_sets",
    "figure_rows",
    "gains",
    "images_to_see",
    "measured_variants",
    "open_stores",
    "read_descriptors",
    "require_memory",
    "score_parser",
    "variants_of",
    "write_images",
]
