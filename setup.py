"""Packages the project for Beam workers (`--setup_file`); everything is in pyproject.toml."""

from setuptools import setup

setup()
