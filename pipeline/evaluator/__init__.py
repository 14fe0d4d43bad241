"""Measures an exported model and decides whether it may be pushed."""

from pipeline.evaluator.component import RetrievalEvaluator
from pipeline.evaluator.decision import Decision, decide

__all__ = ["Decision", "RetrievalEvaluator", "decide"]
