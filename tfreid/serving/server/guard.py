"""What gRPC would answer with a traceback in the server's log, answered in words."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import message

from tfreid.serving.server.refusal import shortened

_LOG = logging.getLogger(__name__)
_LONGEST_TEXT = 500


class Guard(grpc.aio.ServerInterceptor):
    """Refuses bytes that are no request and methods that there are not; names what goes wrong."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Wraps the method that is called."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = handler_call_details.method

        async def behave(data: bytes, context: grpc.aio.ServicerContext) -> Any:
            if not inspect.iscoroutinefunction(handler.unary_unary):  # as generated, without code
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not offered here")
            try:
                return await handler.unary_unary(handler.request_deserializer(data), context)
            except grpc.aio.AbortError:
                raise
            except message.DecodeError:
                text = f"the bytes are no request of {method}"
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
            except Exception as error:  # a bug must not look like a network's fault
                text = shortened(f"{type(error).__name__}: {error}", _LONGEST_TEXT)
                _LOG.error("%s failed: %s", method, text)
                await context.abort(grpc.StatusCode.INTERNAL, text)

        return grpc.unary_unary_rpc_method_handler(
            behave, response_serializer=handler.response_serializer
        )
