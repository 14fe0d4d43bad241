"""What the system refused, in the user's words."""

import errno
import os
import re

_OF_FILES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.ENOENT, errno.ENOTDIR),
    *(errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO),
    *(errno.EMFILE, errno.EFBIG, errno.EXDEV, errno.ESTALE, errno.ETXTBSY),
)
# TensorFlow's own errors name the file first, then what the system said of it.
_BY_TENSORFLOW = re.compile(rf"([^\s;]*/[^;\n]*); ({'|'.join(map(os.strerror, _OF_FILES))})")


def explained(error: BaseException) -> str | None:
    """Returns what the system refused, or None when the error is none of that.

    TensorFlow and Beam wrap such errors in exceptions of their own, hence the look at the text.
    """
    path = getattr(error, "filename", None)
    if os.strerror(errno.ENOSPC) in str(error):
        place = f" ({path})" if path else ""
        return f"no space left on the disk{place}: free some, then run the same command again"
    if isinstance(error, OSError) and error.errno in _OF_FILES:
        return f"{path}: {error.strerror}" if path else str(error.strerror)
    found = _BY_TENSORFLOW.search(str(error))
    if found and type(error).__module__.startswith("tensorflow."):
        return f"{found[1].strip()}: {found[2]}"
    return None
