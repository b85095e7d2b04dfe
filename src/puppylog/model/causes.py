"""The errors behind an error: those that it was raised from, and those that it carries."""


def list_causes(error: BaseException) -> list[BaseException]:
    """Return the error and those that it was raised from. urllib3 also puts an error into the arguments of another."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and all(cause is not other for other in found):
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return found
