"""WebSocket through the agent as a client library speaks it: texts and bytes, large frames, ping, the closing
handshake; the 101's rate limits are in /metrics. Plain frames where python3-websocket is not installed."""

import base64
import hashlib
import os
import socket
import socketserver
import struct
import threading
import unittest
from urllib.parse import urlsplit

from serving import Agent, ServingTest

try:
    import websocket
except ImportError:
    websocket = None

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def read_exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def read_frame(stream):
    """(opcode, payload) of one frame (RFC 6455 5.2)."""
    first, second = read_exactly(stream, 2)
    size = second & 127
    if size == 126:
        size, = struct.unpack(">H", read_exactly(stream, 2))
    elif size == 127:
        size, = struct.unpack(">Q", read_exactly(stream, 8))
    mask = read_exactly(stream, 4) if second & 128 else None
    payload = read_exactly(stream, size)
    if mask:
        whole = (mask * (size // 4 + 1))[:size]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
    return first & 15, payload


def frame(opcode, payload, mask=False):
    size = len(payload)
    short = size if size < 126 else 126 if size < 65536 else 127
    head = bytes([128 | opcode, short | (128 if mask else 0)])
    if short == 126:
        head += struct.pack(">H", size)
    elif short == 127:
        head += struct.pack(">Q", size)
    return head + (b"\0\0\0\0" if mask else b"") + payload  # a mask of zeros changes nothing


class Echo(socketserver.StreamRequestHandler):
    """An API that says every message again, and answers pings and the close."""

    def handle(self):
        lines = []
        while (line := self.rfile.readline().strip()):
            lines.append(line.decode("latin-1"))
        fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        self.server.seen.append((lines[0], fields))
        accept = base64.b64encode(hashlib.sha1(fields["sec-websocket-key"].encode() + GUID).digest())
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Accept: " + accept + b"\r\nX-RateLimit-Limit-Requests: 60\r\n"
                         b"X-RateLimit-Remaining-Requests: 42\r\nX-RateLimit-Reset-Requests: 1h\r\n\r\n")
        try:
            while True:
                opcode, payload = read_frame(self.rfile)
                self.wfile.write(frame(PONG if opcode == PING else opcode, payload))
                if opcode == CLOSE:
                    return
        except (EOFError, ConnectionError):
            pass
        finally:
            self.server.ended.release()


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Echo)
        self.seen, self.ended = [], threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class WebSocketTest(ServingTest):
    def setUp(self):
        super().setUp()
        self.api = EchoServer()
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)
        port = self.api.server_address[1]
        self.write("key", "sk-ours\n")
        self.config = self.write("agent.yaml", f"""
apis:
  - name: demo
    exporter: openai
    base_url: http://127.0.0.1:{port}
    keys: [{{name: ci, value_from_file: key, inject: default}}]
""")

    def start(self):
        return Agent(self.work, f"--config.file={self.config}")

    @unittest.skipIf(websocket is None, "python3-websocket is not installed")
    def test_a_client_library_speaks_through_the_agent(self):
        agent = self.start()
        url = agent.proxy.replace("http://", "ws://") + "/demo/v1/realtime?model=x"
        client = websocket.create_connection(url, timeout=10, suppress_origin=True)
        self.assertEqual(client.headers["upgrade"], "websocket")
        client.send("grüße")
        self.assertEqual(client.recv(), "grüße")
        large = os.urandom(3_000_000)
        sender = threading.Thread(target=client.send_binary, args=(large,))
        sender.start()
        self.assertEqual(client.recv(), large)
        sender.join()
        client.ping(b"there?")
        self.assertEqual(client.recv_data(control_frame=True), (PONG, b"there?"))
        client.close(timeout=10)
        self.assertTrue(self.api.ended.acquire(timeout=10))
        line, fields = self.api.seen[0]
        self.assertEqual(line, "GET /v1/realtime?model=x HTTP/1.1")
        self.assertEqual((fields["connection"], fields["upgrade"]), ("Upgrade", "websocket"))
        self.assertEqual(fields["authorization"], "Bearer sk-ours")

    def test_frames_pass_and_a_client_that_is_gone_is_gone_for_the_api(self):
        agent = self.start()
        address = urlsplit(agent.proxy)
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(b"GET /demo/v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                           b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
                           frame(TEXT, b"at once", mask=True))
            stream = client.makefile("rb")
            self.assertEqual(stream.readline(), b"HTTP/1.1 101 Switching Protocols\r\n")
            while stream.readline() != b"\r\n":
                pass
            self.assertEqual(read_frame(stream), (TEXT, b"at once"))
            stream.close()
        self.assertTrue(self.api.ended.acquire(timeout=10))
        requests = [(labels["code"], value)
                    for labels, value in agent.sample("apiquota_proxy_requests_total") if value]
        self.assertEqual(requests, [("101", 1)])
        remaining = [value for _, value in agent.sample("apiquota_quota_remaining")]
        self.assertEqual(remaining, [42])


if __name__ == "__main__":
    unittest.main(verbosity=2)
