"""Answers for paths below a prefix that no route has, and for methods that the route of a path does not take."""

from starlette.requests import Request
from starlette.routing import Match, Route

from puppylog.serve.refusal import Refusal


def refuse_path(request: Request, cause: str) -> Refusal:
    """Return the refusal of a request that only the last route of a prefix has matched.

    Args:
        request: the request.
        cause: why it is refused, if no route has its path: 404. If another method would be taken, it is 405.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    known = [route.methods or () for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    if not known:
        return Refusal(404, cause)
    methods = sorted({method for methods in known for method in methods if method != "HEAD"})
    return Refusal(405, f"{request.url.path[:80]} is for {' or '.join(methods)}", allowed=methods)
