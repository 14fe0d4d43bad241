"""What gRPC would answer with a traceback in the server's log, answered in words."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import message

from tfreid.serving.server.refusal import Refusal, invalid, shortened

_LOG = logging.getLogger(__name__)
_LONGEST_TEXT = 500


class Guard(grpc.aio.ServerInterceptor):
    """Answers refusals, bytes that are no request, methods that there are not, and bugs."""

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
            try:
                return await handler.unary_unary(handler.request_deserializer(data), context)
            except Refusal as error:
                refusal = error
            except NotImplementedError:  # as generated, without code
                refusal = Refusal(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not offered here")
            except message.DecodeError:
                refusal = invalid(f"the bytes are no request of {method}")
            except Exception as error:  # a bug must not look like a network's fault
                text = shortened(f"{type(error).__name__}: {error}", _LONGEST_TEXT)
                _LOG.error("%s failed: %s", method, text)
                refusal = Refusal(grpc.StatusCode.INTERNAL, text)
            await context.abort(refusal.code, str(refusal))

        return grpc.unary_unary_rpc_method_handler(
            behave, response_serializer=handler.response_serializer
        )
