"""Rows and masks to TFRecords, and back.

The conversion itself is in `tfreid.records.conversion`, which imports Apache Beam; what is
exported here only reads what it wrote.
"""

from tfreid.records.folder import DatasetFolder
from tfreid.records.info import DatasetInfo, SplitInfo
from tfreid.records.store import RecordStore

__all__ = ["DatasetFolder", "DatasetInfo", "RecordStore", "SplitInfo"]
