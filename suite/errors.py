"""The one exception that means "the request was wrong"."""


class RequestError(Exception):
    """A request that cannot be carried out as it was made.

    The message is one sentence that says what is wrong, where, and the mend. The command line
    prints it without a traceback and exits with code 2.
    """
