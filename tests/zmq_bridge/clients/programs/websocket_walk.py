"""What bluesky-httpserver streams: ``websocket_walk.py URL KEY CONTROL``. Runs where it is installed."""

from __future__ import annotations

import asyncio
import json
import sys

from bluesky_queueserver import ZMQCommSendAsync
from websockets.asyncio.client import connect

SECONDS = 20


async def main(url: str, key: str, control: str) -> None:
    headers = {"Authorization": f"ApiKey {key}"}
    base = url.replace("http://", "ws://") + "/api"
    async with (
        connect(f"{base}/console_output/ws", additional_headers=headers) as console,
        connect(f"{base}/status/ws", additional_headers=headers) as status,
    ):
        first = json.loads(await asyncio.wait_for(status.recv(), SECONDS))
        assert "manager_state" in json.dumps(first), first
        server = ZMQCommSendAsync(zmq_server_address=control)
        opened = await server.send_message(method="environment_open")
        assert opened["success"], opened
        text = ""
        while "ready: " not in text:
            text += json.loads(await asyncio.wait_for(console.recv(), SECONDS))["msg"]
        told = ""
        while '"manager_state": "idle"' not in told or '"worker_environment_exists": true' not in told:
            told = json.dumps(json.loads(await asyncio.wait_for(status.recv(), SECONDS)))
        await server.send_message(method="environment_destroy")
        server.close()
    sys.stdout.write("console and status: done\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
