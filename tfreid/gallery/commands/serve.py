"""Serve the gallery's page, and its REST API, until Ctrl-C.

Drop a picture on the page and see who it is, or nobody; enrol, and forget. It listens on this
machine alone unless there is a token.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import os

from absl import flags

from tfreid.cli import gallery_flags, network_flags
from tfreid.errors import MissingPathError, UsageError

flags.adopt_module_key_flags(gallery_flags)
flags.adopt_module_key_flags(network_flags)

_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
_PORT = flags.DEFINE_integer("port", 8080, "Port; 0 finds one.", 0, 65535)
_TOKEN_FILE = flags.DEFINE_string(
    "token_file", None, "File with the token that requests must bring; or set TFREID_TOKEN."
)
_MAX_UPLOAD = flags.DEFINE_float("max_upload_mib", 32.0, "Size of a request.", 0.01, 1024.0)


def main() -> None:
    """Serves as the flags say."""
    token = os.environ.get("TFREID_TOKEN")
    if _TOKEN_FILE.value:
        try:
            with open(_TOKEN_FILE.value, encoding="utf-8") as file:
                token = file.read().strip()
        except OSError as error:
            raise MissingPathError(f"--token_file={_TOKEN_FILE.value}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"--token_file={_TOKEN_FILE.value}: this is no text file") from None
    gallery = gallery_flags.open_gallery(with_model=True)
    from tfreid.gallery.web import serve

    serve(
        gallery,
        _HOST.value,
        _PORT.value,
        token,
        max_upload_mib=_MAX_UPLOAD.value,
    )


if __name__ == "__main__":
    command.run(main)
