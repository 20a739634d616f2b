"""Keys and passwords inside URLs, which logs, job files and run folders would show."""

import re

#: A user name or a password before the host, as in ``https://user:password@host``. A key of S3 may contain slashes, so
#: what follows a colon is looked at up to the next ``@``.
USER_INFO = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#\s]*@|[^/?#\s:@\[]+:(?![\d]+(?:[/?#\s]|$))[^\s@]*@)"
)
#: The user name of SSH, as in ``git+ssh://git@host``: its keys are never part of a URL, unlike the tokens of HTTPS.
SSH_USER = re.compile(r"ssh://[\w.-]+@", re.IGNORECASE)
#: No bucket has a colon in its name.
BUCKET_WITH_COLON = re.compile(r"s3://[^/?#\s]*:")
#: A key among the parameters of a URL, as in a presigned one.
PARAMETER = re.compile(
    r"://\S*[?&](?:[\w-]*(?:secret|password|passwd|token|credential|signature|access_?key)[\w-]*)=",
    re.IGNORECASE,
)
#: A parameter that is a host with a user and a password before it.
ENDPOINT = re.compile(r"://\S*[?&]\w+=[^&\s]*@")


def has_secret(text: str) -> bool:
    """Whether a text contains a URL with a key or a password in it."""
    text = SSH_USER.sub("ssh://", text)
    return any(pattern.search(text) for pattern in (USER_INFO, BUCKET_WITH_COLON, PARAMETER, ENDPOINT))
