"""Tests mirror the packages: `tests/inputs/test_images.py` is about `tfreid/inputs/images.py`."""
