"""cutter.py PORT TARGET FLAG: passes connections on to the target port of this machine. While the file FLAG exists, one answer in
twenty is held back and its connection cut: the database has done what it was asked, and nobody hears of it."""
import asyncio, os, random, signal, sys

port, target, flag = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
cut = 0


async def pass_on(reader, writer, other, is_answer):
    global cut
    try:
        while data := await reader.read(65536):
            if is_answer and os.path.exists(flag) and random.random() < 0.05:
                cut += 1
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    # Both sides see a broken connection, not a clean end.
    for one in (writer, other):
        if one.transport:
            one.transport.abort()


async def connection(reader, writer):
    try:
        to_reader, to_writer = await asyncio.open_connection('127.0.0.1', target)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(pass_on(reader, to_writer, writer, False), pass_on(to_reader, writer, to_writer, True))


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(connection, '127.0.0.1', port)
    await stop.wait()
    server.close()
    print(f'{cut} answers of the database held back and their connections cut', flush=True)
    # The connections end with the process.
    os._exit(0)


asyncio.run(main())
