"""What stands before two nodes, as any proxy in production does: `python -m tests.load.soak.hop SPEC.json`.

Whoever is asked is who answered /healthz last; where nobody takes the connection, the next is tried. Each event that
passes is written down with the status that the panel gave: what got our 202 was told, and nothing else. So is when each
server of tokens was asked, and when it had answered.
"""

import asyncio
import json
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

PATIENCE = 4.5  # seconds; the registry itself gives up after five
LOOK = 0.3  # seconds between two looks at a node that answers
NOT_PASSED = {"host", "connection", "keep-alive", "transfer-encoding", "content-length"}


class Nodes:
    """The ports that serve one thing."""

    def __init__(self, ports: list[int]) -> None:
        self.up = dict.fromkeys(ports, False)
        self.turns = count()

    def next(self) -> int | None:
        ready = [port for port, up in self.up.items() if up]
        return ready[next(self.turns) % len(ready)] if ready else None

    async def look(self, session: aiohttp.ClientSession, port: int) -> None:
        while True:
            try:
                timeout = aiohttp.ClientTimeout(total=1)
                async with session.get(f"http://127.0.0.1:{port}/healthz", timeout=timeout) as answer:
                    self.up[port] = answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                self.up[port] = False
            await asyncio.sleep(LOOK)


class Hop:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.port, self.patience = spec["port"], spec.get("patience", PATIENCE)
        self.pages, self.tokens = Nodes(spec["web"]), Nodes(spec["tokens"])
        self.told = Path(spec["told"]).open("a", buffering=1)  # noqa: SIM115 (for as long as it serves)
        self.passed = Path(spec["passed"]).open("a", buffering=1)  # noqa: SIM115

    async def serve(self) -> None:
        # A connection each time: one that is refused was surely not heard, and another node may be asked.
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self.session:
            looks = [
                asyncio.create_task(nodes.look(self.session, port))
                for nodes in (self.pages, self.tokens)
                for port in nodes.up
            ]
            runner = web.ServerRunner(web.Server(self.answer), access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port, backlog=512).start()
            await asyncio.gather(*looks)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body, began = await request.read(), time.time()
        nodes = self.tokens if request.path == "/auth/token" else self.pages
        answer = await self.passed_on(request, body, nodes)
        if request.path == "/registry/events":
            self.note(body, began, answer.status)
        return answer

    async def passed_on(self, request: web.BaseRequest, body: bytes, nodes: Nodes) -> web.Response:
        ends = time.monotonic() + self.patience
        while time.monotonic() < ends:
            port = nodes.next()
            if port is None:
                await asyncio.sleep(0.02)
                continue
            try:
                if nodes is self.tokens:
                    return await self.asked_for_token(request, body, port)
                return await self.asked(request, body, port)
            except (aiohttp.ClientError, TimeoutError) as error:
                nodes.up[port] = False
                # Heard, perhaps: a question may be asked twice, an event is brought again by the registry itself.
                if request.method != "GET" and not isinstance(error, aiohttp.ClientConnectorError):
                    return web.Response(status=502)
        return web.Response(status=503)

    async def asked_for_token(self, request: web.BaseRequest, body: bytes, port: int) -> web.Response:
        began, answered = time.time(), 0.0
        try:
            answer = await self.asked(request, body, port)
            answered = time.time()
        finally:
            self.passed.write(json.dumps({"port": port, "began": began, "answered": answered}) + "\n")
        return answer

    async def asked(self, request: web.BaseRequest, body: bytes, port: int) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED}
        headers["Host"] = request.host
        headers.setdefault("X-Forwarded-For", request.remote or "127.0.0.1")
        async with self.session.request(
            request.method,
            f"http://127.0.0.1:{port}{request.raw_path}",
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=30),
        ) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in NOT_PASSED]
            made = web.Response(status=answer.status, body=await answer.read())
            made.headers.extend(kept)
            return made

    def note(self, body: bytes, began: float, status: int) -> None:
        now = time.time()
        for event in json.loads(body).get("events") or []:
            target, about = event.get("target") or {}, event.get("request") or {}
            line = {
                "id": event.get("id"), "came": began, "answered": now, "status": status,
                "action": event.get("action"), "repository": target.get("repository", ""),
                "tag": target.get("tag", ""), "digest": target.get("digest", ""),
                "by": (event.get("actor") or {}).get("name", ""), "client": about.get("useragent", ""),
            }  # fmt: skip
            self.told.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    asyncio.run(Hop(json.loads(Path(sys.argv[1]).read_text())).serve())
