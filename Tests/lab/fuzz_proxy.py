#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets clients that speak only TCP reach a Unix socket: forwards each connection, byte by byte.

usage: fuzz_proxy.py SOCKET PORT-FILE    listens on 127.0.0.1 only, on a free port, which it writes into PORT-FILE
"""
import asyncio
import os
import sys


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def serve(socket, reader, writer):
    try:
        back_reader, back_writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        print(f"fuzz_proxy: {socket}: {error}", file=sys.stderr)
        return writer.transport.abort()
    # The daemon's close ends both ways; the client's end of sending leaves the way back open.
    sending = asyncio.create_task(copy(reader, back_writer))
    await copy(back_reader, writer)
    sending.cancel()
    back_writer.close()
    writer.close()


async def main(socket, port_file):
    server = await asyncio.start_server(lambda r, w: serve(socket, r, w), "127.0.0.1", 0)
    with open(port_file + ".new", "w") as file:
        print(server.sockets[0].getsockname()[1], file=file)
    os.rename(port_file + ".new", port_file)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
