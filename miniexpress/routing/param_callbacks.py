"""The callbacks of parameters, called before the handlers of a path that has them. After npm router 2.3."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..attrdict import AttrDict
from .handler_checks import ensure_responded, refuse_coroutine
from .layer import Handler, Next, error_or_none

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


class ParamCalls:
    """The calls of one router's param callbacks for one request: once for each value of a parameter."""

    def __init__(self, callbacks: dict[str, list[Handler]], req: Request, res: Response) -> None:
        self.callbacks, self.req, self.res = callbacks, req, res
        self.results: dict[str, ParamResult] = {}

    def process(self, params: AttrDict, then: Next) -> None:
        """Call the callbacks of the parameters that have some, then ``then()`` or ``then(error)``."""
        self.next_param([name for name in params if name in self.callbacks], then)

    def next_param(self, names: list[str], then: Next, error: Any = None) -> None:
        """Call the callbacks of the first of ``names``, unless they were for this value, then those of the others."""
        if error is not None or not names:
            return then(error)
        name, then = names[0], partial(self.next_param, names[1:], then)
        params, earlier = self.req.params, self.results.get(name)
        if earlier and (earlier.matched == params[name] or error_or_none(earlier.error) is not None):
            params[name] = earlier.value
            return then(earlier.error)
        result = self.results[name] = ParamResult(params[name])
        return self.next_callback(name, result, 0, then)

    def next_callback(self, name: str, result: ParamResult, index: int, then: Next, error: Any = None) -> None:
        """Call the callbacks of one parameter from number ``index`` on, and keep their result."""
        req, callbacks = self.req, self.callbacks[name]
        req.next_calls += 1
        result.value, result.error = req.params[name], error
        if error is not None or index == len(callbacks):
            then(error)
            return
        next_calls, next = req.next_calls, partial(self.next_callback, name, result, index + 1, then)
        try:  # as Layer.call
            returned = callbacks[index](req, self.res, next, result.matched, name)
            if returned is not None:
                refuse_coroutine(callbacks[index], returned)
            if not self.res.ended and req.next_calls == next_calls:
                ensure_responded(callbacks[index], self.res, returned)
        except RecursionError:
            raise
        except Exception as raised:
            next(raised)


@dataclass(slots=True)
class ParamResult:
    """The result of a parameter's callbacks, which run once for each value: ``req.params[name]``, or an error."""

    matched: Any
    value: Any = None
    error: Any = None
