"""Persons whom one can search for, and who can be forgotten."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg

from tfreid.errors import UsageError
from tfreid.gallery import rebuilding
from tfreid.gallery.answers import Answer, NewImage
from tfreid.gallery.checks import check_settings, checked
from tfreid.gallery.contents import Contents
from tfreid.gallery.database import Database
from tfreid.gallery.emptying import delete, require_wiped, wipe
from tfreid.gallery.indexing import make_index, recall_of_index
from tfreid.gallery.lines import keep_searches, line_of
from tfreid.gallery.log import log
from tfreid.gallery.own_reconstructions import search_own
from tfreid.gallery.reconstructing import (
    SHORTLIST,
    described,
    ranked,
    require_same_matching,
    stored_positions,
)
from tfreid.gallery.searching import nearest
from tfreid.gallery.storing import add_descriptors, not_stored, store
from tfreid.gallery.thumbnails import thumbnail
from tfreid.retrieval import FPIR

if TYPE_CHECKING:
    from tfreid.gallery.describing import ImageDescriber


class Gallery(Contents):
    """The images and descriptors of persons, of one model; threads may share it.

    Args:
      database: where it is.
      describer: of its model; without one nothing can be enrolled or searched for.

    Raises:
      MissingPathError: if there is no gallery.
      UsageError: if the model is another one than the gallery's, or the tables of a newer release.
      ServingError, DataError: as `Database.connect`; so does every method.
    """

    def __init__(self, database: Database, describer: "ImageDescriber | None" = None):
        database.migrate()
        super().__init__(database)
        self._describer = describer
        with database.connect() as connection:
            if connection.execute("SELECT to_be_wiped FROM gallery").fetchone()[0]:
                wipe(connection, database.is_embedded)  # A process was killed before it did.
        self.expire("retention")
        found = self.settings()
        self._rebuilt = found["rebuilt"]
        if describer is not None:
            describer.require(np.frombuffer(found["fingerprint"], "<f4"), str(database))
            require_same_matching(str(database), found["beta"], describer.beta)

    @classmethod
    def create(
        cls,
        database: Database,
        describer: "ImageDescriber",
        model: str,
        *,
        fpir: float = FPIR,
        keep_images: bool = False,
        expire_days: int | None = None,
    ) -> "Gallery":
        """Makes an empty gallery.

        Args:
          database: where.
          describer: of its model, whose own searches draw the line until it is calibrated.
          model: how to open the model again.
          fpir: share of the searches for strangers that may get a name.
          keep_images: whether to store image files, from which another model can describe anew.
          expire_days: days after which an image is forgotten; never unless given.

        Raises:
          UsageError: if there is a gallery already, or a number makes no sense.
        """
        check_settings(fpir, expire_days)

        def fill(connection: psycopg.Connection) -> None:
            connection.execute(
                "INSERT INTO gallery (model, fingerprint, beta, fpir, keep_images, expire_days) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                [model, *rebuilding.identity(describer), fpir, keep_images, expire_days],
            )
            if describer.searches and describer.beta is None:  # They are of descriptors.
                keep_searches(connection, describer.searches, of="the model's test images")
            add_descriptors(connection, describer.size)

        database.create(fill)
        return cls(database, describer)

    def enrol(self, images: Sequence[NewImage], actor: str) -> int:
        """Stores images, all or none.

        Args:
          images: with names that differ. One that is stored, with the same file and person, is
            left out.
          actor: who does it, for the log.

        Returns:
          How many were stored.

        Raises:
          UsageError: if a name, a person or a time cannot be stored, a name is that of another
            image, or a picture is stored or given as another person's, too.
          RefusedImagesError: if files are not decoded.
        """
        images = [checked(image) for image in images]
        counts = Counter(image.name for image in images)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise UsageError(f"two of the images have one name, {twice[0]}: give each its own")
        with self._database.connect() as connection:
            images = not_stored(connection, images)
        if not images:
            return 0
        files, names = [image.file for image in images], [image.name for image in images]
        descriptors, positions = described(self._required_describer(), files, names)
        thumbnails = [thumbnail(file) for file in files]
        with self._database.connect() as connection, connection.transaction():
            # One at a time: others may have stored the same meanwhile.
            connection.execute("LOCK TABLE image IN SHARE ROW EXCLUSIVE MODE")
            keep_images = self._of_same_model(connection)["keep_images"]
            if len(not_stored(connection, images)) < len(images):
                raise UsageError("another process has stored some of the images: enrol them again")
            persons = store(connection, images, descriptors, thumbnails, keep_images, positions)
            log(connection, actor, "enrol", count=len(images), persons=persons)
        return len(images)

    def search(
        self,
        files: Sequence[bytes],
        *,
        top: int = 10,
        cameras: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        approximate: bool = False,
        names: Sequence[str] | None = None,
        actor: str,
    ) -> Answer:
        """Says who is on a picture, or nobody.

        Args:
          files: one picture, or several of one person: by descriptors their mean is compared, by
            positions each, and the mean of its distances counts.
          top: matches to return at most; by positions no more than the shortlist has.
          cameras: only images of these; of all unless given.
          since: only images taken then or later.
          until: only images taken before.
          names: what errors call the files; by their places unless given.
          approximate: whether to use the index, where exact is to compare with every image.
          actor: who does it, for the log, which keeps numbers and no picture or name.

        Raises:
          UsageError: if there is no file, or no index.
          RefusedImagesError: if files are not decoded.
        """
        if not files:
            raise UsageError("there is no picture to search with: give one or more")
        names = names or [f"picture {place}" for place in range(1, len(files) + 1)]
        describer = self._required_describer()
        descriptors, positions = described(describer, files, names)
        query, count = descriptors.mean(axis=0), SHORTLIST if positions else top
        with self._database.connect() as connection:
            recall = recall_of_index(connection, str(self._database)) if approximate else None
            with rebuilding.unless_rebuilt(lambda: self._of_same_model(connection)):
                found = nearest(connection, query, count, cameras, since, until, approximate)
            images = [match.image for match in found]
            rows = stored_positions(connection, images) if positions else []
            self._of_same_model(connection)
            if positions:
                found = ranked(found, rows, positions, describer.beta)[:top]
            line, reason = line_of(connection)
            is_known = bool(found and line and found[0].distance <= line.distance)
            images = [match.image for match in found]
            log(connection, actor, "search", pictures=len(files), named=is_known, images=images)
        return Answer(found[0].person if is_known else None, tuple(found), line, reason, recall)

    def forget(
        self,
        *,
        person: str | None = None,
        image: str | None = None,
        older_than: datetime | None = None,
        actor: str,
    ) -> int:
        """Deletes a person, an image, or what was enrolled before a time, so that nothing remains.

        Returns:
          How many images were deleted.

        Raises:
          UsageError: unless one of the three is given.
          ServingError: if an open transaction or a missing right keeps the bytes of the deleted.
        """
        with self._database.connect() as connection:
            with connection.transaction():
                images = delete(connection, person, image, older_than)
                if not images:
                    return 0
                log(connection, actor, "forget", images=images)
            require_wiped(connection, self._database)
        return len(images)

    def rebuild(
        self, describer: "ImageDescriber", model: str, actor: str, advance: rebuilding.Advance
    ) -> int:
        """Describes all stored images anew, by another model; whole or not at all.

        Args:
          describer: of the gallery's model from then on.
          model: how to open it again.
          actor: who does it, for the log.
          advance: called with a number of images that are done.

        Returns:
          How many there are.

        Raises:
          UsageError: if the gallery does not keep image files.
        """
        with self._database.connect() as connection:
            with connection.transaction():
                # Searches go on with the old descriptors; enrolments wait.
                connection.execute("LOCK TABLE image IN EXCLUSIVE MODE")
                if not self._of_same_model(connection, lock="")["keep_images"]:
                    raise UsageError(
                        f"{self._database} keeps no image files to describe anew: make a gallery "
                        "of the other model, and enrol the images there"
                    )
                images = rebuilding.describe_anew(connection, describer, model, advance)
                log(connection, actor, "rebuild", count=images)
            wipe(connection, self._database.is_embedded)
        self._describer, self._rebuilt = describer, self._rebuilt + 1
        return images

    def calibrate(self, actor: str, fpir: float | None = None) -> None:
        """Draws the line from the gallery's own images: each person in turn is a stranger.

        Args:
          actor: who does it, for the log.
          fpir: share of them that may get a name from then on; as before unless given.

        Raises:
          UsageError: if there are too few persons to say anything, or no such share.
          DataError: if others forget too many meanwhile.
        """
        check_settings(FPIR if fpir is None else fpir, None)
        with self._database.connect() as connection:
            with rebuilding.unless_rebuilt(lambda: self._of_same_model(connection)):
                searches = search_own(connection, self.settings()["beta"])
            with connection.transaction():
                self._of_same_model(connection, lock="FOR NO KEY UPDATE")
                keep_searches(connection, searches, of="the gallery's own images")
                connection.execute("UPDATE gallery SET fpir = coalesce(%s, fpir)", [fpir])
                log(connection, actor, "calibrate", pictures=len(searches.person))

    def index(self, actor: str) -> float:
        """Makes an index for approximate searches; returns which share of the nearest it finds.

        Raises:
          UsageError: if descriptors are too large for one, or there are none.
        """
        with self._database.connect() as connection, connection.transaction():
            recall = make_index(connection)
            log(connection, actor, "index", recall=recall)
        return recall

    def expire(self, actor: str) -> int:
        """Forgets what is past the gallery's retention; returns how many images."""
        days = self.settings()["expire_days"]
        if days is None:
            return 0
        before = datetime.now(timezone.utc) - timedelta(days=days)
        return self.forget(older_than=before, actor=actor)

    def overlay(self, file: bytes) -> bytes | None:
        """Returns where the model looks on a picture, PNG; None where it cannot tell."""
        return self._required_describer().overlay(file)

    def _of_same_model(self, connection: psycopg.Connection, lock: str = "FOR SHARE") -> Any:
        return rebuilding.of_same_model(connection, self._rebuilt, str(self._database), lock)

    def _required_describer(self) -> "ImageDescriber":
        if self._describer is None:
            raise UsageError(f"{self._database} was opened without its model: give it (model)")
        return self._describer
