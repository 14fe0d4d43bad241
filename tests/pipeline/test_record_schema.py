import pytest

pytest.importorskip("tfx")
from pipeline.record_schema import schema_text
from tfreid.errors import MissingPathError, UsageError


def test_a_schema_of_ones_own(tmp_path):
    path = tmp_path / "own.pbtxt"
    path.write_text('feature { name: "görlitz" type: INT }', encoding="utf-8-sig")
    assert schema_text("reid", str(path)).startswith("feature {")


@pytest.mark.parametrize(
    ("contents", "reason"),
    [(b"feature {", "Expected"), ('feature { name: "görlitz" }'.encode("latin1"), "can't decode")],
)
def test_refuses_what_is_no_schema(tmp_path, contents, reason):
    path = tmp_path / "own.pbtxt"
    path.write_bytes(contents)
    with pytest.raises(UsageError, match=rf"own\.pbtxt is not a .* UTF-8: .*{reason}"):
        schema_text("reid", str(path))
    path.unlink()
    with pytest.raises(MissingPathError, match="no schema at"):
        schema_text("reid", str(path))
