"""A real HTTP server on 127.0.0.1, run inside the caller's event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class LocalServer:
    """Serves one app on a free port from `open` to `close`."""

    def __init__(self) -> None:
        self._server: _Guest | None = None
        self._serving: asyncio.Task[None] | None = None

    async def open(self, app: ASGIApp) -> str:
        """Returns the address, without a slash at its end, once the server answers."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = _Guest(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            await asyncio.sleep(0.005)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def close(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.leave.set()
            await self._serving


class _Guest(uvicorn.Server):
    """Leaves the process's signals alone, and leaves at once when told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leave = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.leave.wait()
