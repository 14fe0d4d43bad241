"""Schemas of the TFRecords that the project writes and reads."""
