"""One process of a workflow that calls a chat API as its tutorial says:

    python rival_client.py HOW URL SECONDS WORKERS LIMIT PERIOD      prints [[seconds a call took, status], …]

HOW: plain (a loop), ratelimit, aiolimiter, openai (the SDK and its own retries). Status 0: an exception.
"""

import asyncio
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

HOW, URL, SECONDS, WORKERS, LIMIT, PERIOD = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
LIMIT, WORKERS = int(LIMIT), int(WORKERS)
PARTS = urllib.parse.urlsplit(URL)
done = []
connections = threading.local()


def body_of(number, serial):
    size = 40 + (number * 7 + serial * 13) % 40
    return {
        "model": "gpt-4o-mini",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "word " * size}],
    }


def post(number, serial):
    """The status of one call over this thread's connection."""
    if not hasattr(connections, "own"):
        connections.own = http.client.HTTPConnection(PARTS.hostname, PARTS.port, timeout=120)
    connections.own.request(
        "POST",
        PARTS.path + "/chat/completions",
        json.dumps(body_of(number, serial)),
        {"Content-Type": "application/json", "Authorization": "Bearer sk-bench"},
    )
    answer = connections.own.getresponse()
    answer.read()
    return answer.status


def with_ratelimit():
    from ratelimit import limits, sleep_and_retry

    return sleep_and_retry(limits(calls=LIMIT, period=PERIOD)(post))


def with_sdk():
    import openai

    client = openai.OpenAI(base_url=URL, api_key="sk-bench")

    def call(number, serial):
        try:
            client.chat.completions.create(**body_of(number, serial))
            return 200
        except openai.APIStatusError as error:
            return error.status_code

    return call


def work(call, number):
    serial = 0
    while True:
        start = time.monotonic()
        try:
            status = call(number, serial)
        except Exception:  # noqa: BLE001
            status = 0
        serial += 1
        done.append([time.monotonic() - start, status])
        if status != 200:
            time.sleep(0.1)  # the job is given up, and the next one taken


async def with_aiolimiter():
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(LIMIT, PERIOD)

    async def one(number):
        serial = 0
        while True:
            start = time.monotonic()
            async with limiter:
                status = await asyncio.to_thread(post, number, serial)
            serial += 1
            done.append([time.monotonic() - start, status])
            if status != 200:
                await asyncio.sleep(0.1)

    await asyncio.gather(*(one(number) for number in range(WORKERS)))


def main():
    if HOW == "aiolimiter":
        threading.Thread(target=lambda: asyncio.run(with_aiolimiter()), daemon=True).start()
    else:
        call = {"plain": lambda: post, "ratelimit": with_ratelimit, "openai": with_sdk}[HOW]()
        for number in range(WORKERS):
            threading.Thread(target=work, args=(call, number), daemon=True).start()
    time.sleep(SECONDS)
    print(json.dumps(list(done)), flush=True)
    os._exit(0)


main()
