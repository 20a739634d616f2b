"""The one exception that means "the request was wrong"."""


class RequestError(Exception):
    """A request that cannot be carried out as it was made.

    The message is one sentence that says what is wrong, where, and the mend. The command line
    prints it without a traceback and exits with code 2.
    """


class UnfinishedError(RequestError):
    """A request that failed late: what was done is kept, and the request goes on from there once mended."""
