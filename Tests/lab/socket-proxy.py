#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a Unix socket on a free TCP port of the loopback device, for clients that know nothing else.

socket-proxy.py SOCKET      prints the port, then serves until it is killed
"""
import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def serve(path):
    async def client(reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(path)
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
            inner_writer.close()
        except OSError as error:
            print(f"socket-proxy: {path}: {error}", file=sys.stderr)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if len(sys.argv) != 2:
    sys.exit(__doc__)
asyncio.run(serve(sys.argv[1]))
