"""What the system refused, or what is not installed, in the user's words."""

import contextlib
import errno
import os
import re
from importlib import metadata

_OF_FILES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.ENOENT, errno.ENOTDIR),
    *(errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO),
    *(errno.EMFILE, errno.EFBIG, errno.EXDEV, errno.ESTALE, errno.ETXTBSY),
)
# TensorFlow's own errors name the file first, then what the system said of it.
_BY_TENSORFLOW = re.compile(rf"([^\s;]*/[^;\n]*); ({'|'.join(map(os.strerror, _OF_FILES))})")


def explained(error: BaseException) -> str | None:
    """Returns what the system refused or what is not installed, None when the error is neither.

    TensorFlow and Beam wrap such errors in exceptions of their own, hence the look at the text.
    """
    path = getattr(error, "filename", None)
    if os.strerror(errno.ENOSPC) in str(error):
        place = f" ({path})" if path else ""
        return f"no space left on the disk{place}: free some, then run the same command again"
    if isinstance(error, OSError) and error.errno in _OF_FILES:
        return f"{path}: {error.strerror}" if path else str(error.strerror)
    if isinstance(error, ModuleNotFoundError) and (extra := _extra_with(error.name or "")):
        return f"the package {error.name} is not installed: pip install 'tfreid[{extra}]' brings it"
    found = _BY_TENSORFLOW.search(str(error))
    if found and type(error).__module__.startswith("tensorflow."):
        return f"{found[1].strip()}: {found[2]}"
    return None


def _extra_with(module: str) -> str | None:
    """Returns the optional part of this package to which a module belongs, None if to none."""
    with contextlib.suppress(metadata.PackageNotFoundError):  # A clone that is not installed.
        for requirement in metadata.requires("tfreid") or ():
            found = re.match(r"([\w-]+).*\bextra == ['\"](\w+)", requirement)
            if found and found[1].replace("-", "_") == module.partition(".")[0]:
                return found[2]
    return None
