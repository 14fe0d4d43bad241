"""A gallery of persons: who is this, or nobody; PostgreSQL keeps it.

What needs TensorFlow or the page's libraries is imported from its own module.
"""

from tfreid.gallery.answers import Answer, Match, NewImage
from tfreid.gallery.database import Database
from tfreid.gallery.gallery import Gallery
from tfreid.retrieval import FPIR, Line

__all__ = ["FPIR", "Answer", "Database", "Gallery", "Line", "Match", "NewImage"]
