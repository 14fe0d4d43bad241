"""Draws persons in scenes for the synthetic data set. NumPy and Pillow only."""
