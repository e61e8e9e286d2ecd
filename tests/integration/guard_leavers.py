"""Clients that leave, and agents that reload or stop, as functions that return their figures:
guard_leavers_test.py runs them short, scripts/bench guard whole."""

import itertools
import json
import os
import re
import signal
import socket
import struct
import threading
import time

from arrivals import NotingApi, address_of, burst, head_of
from guard_storms import ResettingApi
from guarding import Api, GuardedAgent
from harness import wait_until

BODY = json.dumps(
    {"model": "gpt-4o-mini", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello there"}]}
).encode()
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}


def openai_fields(left=500):
    return {
        "Content-Type": "application/json",
        "x-ratelimit-limit-requests": 1000,
        "x-ratelimit-remaining-requests": left,
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-limit-tokens": 100000,
        "x-ratelimit-remaining-tokens": 90000,
        "x-ratelimit-reset-tokens": "6s",
    }


def completion(text="Hello."):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1790000000,
            "model": "gpt-4o-mini",
            "choices": [choice],
            "usage": USAGE,
        }
    ).encode()


def leave(url, data, read=0, reset=False, meanwhile=lambda: None):
    """Sends `data`, reads `read` bytes of the answer and is gone. `meanwhile`: what happens before it
    reads."""
    with socket.create_connection(address_of(url), timeout=10) as sock:
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(data)
        meanwhile()
        got = 0
        while got < read:
            piece = sock.recv(read - got)
            if not piece:
                break
            got += len(piece)
        return got


def gone_at_every_byte(work, step=1, settings=()):
    """Whoever leaves behind any byte of a request or of its answer leaves nothing held. `settings`: further
    lines of the api, here and below."""
    api = NotingApi(lambda arrival: (0.002, 200, openai_fields(), completion()))
    agent = GuardedAgent(work, [Api("demo", "openai", api.url, list(settings))], name="leavers")
    path = "/demo/v1/chat/completions"
    request = (
        head_of(
            "POST", path, len(BODY), {"Authorization": "Bearer sk-test", "Content-Type": "application/json"}
        )
        + BODY
    )
    ways = 0
    for cut in range(1, len(request), step):
        leave(agent.proxy, request[:cut], reset=cut % 2 == 0)
        ways += 1
    whole = whole_answer(agent.proxy, request)
    for cut in range(0, whole, step):
        leave(agent.proxy, request, read=cut, reset=cut % 2 == 0)
        ways += 1
    agent.rests()
    figures = {
        "ways": ways,
        "held": agent.rests(),
        "answered_afterwards": burst(agent.proxy, path, 1)[0].status,
    }
    agent.stop()
    api.stop()
    return figures


def leaders_gone_at_every_byte(work, step=1):
    """Who asks first for what the cache keeps leaves behind any byte of its request or its answer, by GET and
    by a POST that is remembered. Who asks for the same meanwhile is answered, and the API is asked once."""
    fields = {"Content-Type": "application/json", "Cache-Control": "max-age=600"}
    api = NotingApi(lambda arrival: (0.002, 200, fields, completion()))
    cache = "guard: {mode: on, cache: {post: [{path: /v1/chat/*, ttl: 1h}]}}"
    agent = GuardedAgent(work, [Api("demo", "openai", api.url, [cache])], name="leaders")
    serial = itertools.count()
    unanswered, asked_too_often = [], []

    def lead(method, body, cut=None, read=0):
        target = f"/v1/chat/completions?n={next(serial):06}"
        of_json = {"Authorization": "Bearer sk-test", "Content-Type": "application/json"}
        request = head_of(method, "/demo" + target, len(body), of_json) + body
        with socket.create_connection(address_of(agent.proxy), timeout=10) as follower:
            leave(
                agent.proxy, request[:cut], read, read % 2 == 0, meanwhile=lambda: follower.sendall(request)
            )
            try:
                read_answer(follower)
            except TimeoutError:
                unanswered.append((method, cut, read))
        if len(api.times(target)) != 1:
            asked_too_often.append((method, cut, read))
        return len(request)

    for method, body in (("GET", b""), ("POST", BODY)):
        size = lead(method, body)
        for cut in range(1, size, step):
            lead(method, body, cut=cut)
        for read in range(0, len(completion()) + 100, step):
            lead(method, body, read=read)
    agent.rests()
    figures = {
        "ways": next(serial),
        "held": agent.held(),
        "unanswered": unanswered,
        "asked_too_often": asked_too_often,
    }
    agent.stop()
    api.stop()
    return figures


def read_answer(sock):
    """Its head, and how many bytes it has with its body."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += received(sock)
    head = got.partition(b"\r\n\r\n")[0]
    whole = len(head) + 4 + int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(got) < whole:
        got += received(sock)
    return head, whole


def received(sock):
    piece = sock.recv(65536)
    if not piece:
        raise TimeoutError("the answer ended early")
    return piece


def whole_answer(url, request):
    """How many bytes the answer has."""
    with socket.create_connection(address_of(url), timeout=10) as sock:
        sock.sendall(request)
        return read_answer(sock)[1]


def gone_while_waiting(work, clients=50, settings=()):
    """Whoever leaves the queue is not sent; the others are."""
    api = ResettingApi(1000, 6)
    agent = GuardedAgent(work, [Api("demo", "github", api.url, list(settings))], name="waiting")
    burst(agent.proxy, "/demo/items/1", 1)
    wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
    stayed = []
    thread = threading.Thread(target=lambda: stayed.extend(burst(agent.proxy, "/demo/items/2", clients)))
    thread.start()
    for number in range(clients):
        leave(agent.proxy, head_of("GET", "/demo/items/404"), reset=number % 2 == 0)
    assert time.time() < api.reset, "whoever asks after the reset is sent, and so shows nothing"
    thread.join()
    agent.rests()
    figures = {
        "stayed": sum(answer.status == 200 for answer in stayed),
        "sent_for_who_left": len(api.times("/items/404")),
        "held": agent.rests(),
        "too_early": api.refused,
    }
    agent.stop()
    api.stop()
    return figures


def stalled(work, clients=5, settings=()):
    """Who does not take its answer is cut off, and holds nothing afterwards."""
    api = NotingApi(lambda arrival: (200, openai_fields(), completion("x" * 8_000_000)))
    agent = GuardedAgent(
        work, [Api("demo", "openai", api.url, list(settings))], name="stalled", proxy="body_idle_timeout: 1s"
    )
    sockets = []
    for _ in range(clients):
        sock = socket.create_connection(address_of(agent.proxy), timeout=10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(head_of("GET", "/demo/v1/models"))
        sockets.append(sock)
    wait_until(lambda: len(api.arrivals) == clients, 10, "all have been sent")
    agent.rests(20)
    figures = {"clients": clients, "held": agent.rests()}
    for sock in sockets:
        sock.close()
    agent.stop()
    api.stop()
    return figures


def reloaded(work, clients=30, settings=()):
    """Waiters stay through a reload and are answered."""
    api = ResettingApi(1000, 4)
    agent = GuardedAgent(work, [Api("demo", "github", api.url, list(settings))], name="reloaded")
    burst(agent.proxy, "/demo/items/1", 1)
    wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(burst(agent.proxy, "/demo/items/2", clients)))
    thread.start()
    wait_until(lambda: agent.total("apiquota_queue_depth") == clients, 5, "all wait")
    agent.config.write_text(agent.config.read_text() + "metrics: {series_max: 9000}\n")
    os.kill(agent.pid, signal.SIGHUP)
    agent.wait_for(lambda: "event=reload" in agent.log(), 10, "the reload")
    thread.join()
    agent.rests()
    figures = {
        "clients": clients,
        "served": sum(answer.status == 200 for answer in answers),
        "held": agent.rests(),
        "too_early": api.refused,
    }
    agent.stop()
    api.stop()
    return figures


def stopped(work, reset_in, clients=20, settings=()):
    """SIGTERM before waiters: those whose turn comes in the drain time are served, others are told when."""
    api = ResettingApi(1000, reset_in)
    agent = GuardedAgent(
        work, [Api("demo", "github", api.url, list(settings))], name="stopped", proxy="drain_timeout: 10s"
    )
    burst(agent.proxy, "/demo/items/1", 1)
    wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(burst(agent.proxy, "/demo/items/2", clients)))
    thread.start()
    wait_until(lambda: agent.total("apiquota_queue_depth") == clients, 5, "all wait")
    began = time.monotonic()
    code = agent.stop(20)
    thread.join()
    api.stop()
    return {
        "clients": clients,
        "exit_code": code,
        "seconds": time.monotonic() - began,
        "served": sum(answer.status == 200 for answer in answers),
        "told_when": sum(answer.status == 503 and "retry-after" in answer.fields for answer in answers),
        "unanswered": sum(answer.status == 0 for answer in answers),
        "too_early": api.refused,
    }
