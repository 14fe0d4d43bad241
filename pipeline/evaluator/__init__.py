"""Measures an exported model and decides whether it may be pushed."""
