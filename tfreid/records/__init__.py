"""Rows and masks to TFRecords, and back: an `ImageSet` is converted, `Records` were.

The conversion itself is in `tfreid.records.conversion`, which imports Apache Beam.
"""

from tfreid.records.image_set import ImageSet
from tfreid.records.info import RecordsInfo, SplitInfo
from tfreid.records.records import Records
from tfreid.records.store import RecordStore

DatasetFolder = Records
"""What release 0.1 called it."""

__all__ = ["DatasetFolder", "ImageSet", "RecordStore", "Records", "RecordsInfo", "SplitInfo"]
