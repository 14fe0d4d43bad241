"""The schema that records are validated against, as an artifact."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

import tfrecords_schema
from pipeline.storage import writable
from tfreid.errors import MissingPathError, UsageError

_FILE = "schema.pbtxt"


@component
def RecordSchema(text: Parameter[str], schema: OutputArtifact[standard_artifacts.Schema]):
    """Writes a schema down, wherever the component runs.

    Args:
      text: of the schema; another text is another input, so validation runs again.
      schema: where StatisticsGen and ExampleValidator look for it.
    """
    with writable(schema.uri) as folder:
        (folder / _FILE).write_text(text, encoding="utf-8")


def schema_text(kind: str, path: str | None) -> str:
    """Returns the text of a schema.

    Args:
      kind: of records, `"reid"` or `"parsing"`.
      path: of the user's own schema, or None for that of `tfrecords_schema/`.

    Raises:
      MissingPathError: if there is no such file.
      UsageError: if it is not a schema.
    """
    file = Path(path) if path else Path(tfrecords_schema.__file__).with_name(f"{kind}.pbtxt")
    if not file.is_file():
        raise MissingPathError(f"no schema at {file}")
    try:
        text = file.read_text(encoding="utf-8-sig")  # Which passes over a byte order mark.
        text_format.Parse(text, schema_pb2.Schema())
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise UsageError(
            f"{file} is not a tensorflow_metadata Schema in text format, UTF-8: {error}"
        ) from error
    return text
