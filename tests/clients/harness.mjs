// What the client tests share: an agent on free ports, and an upstream of our own that records every request
// as it came over the wire and answers from a script.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import zlib from "node:zlib";

export function skip(reason) {
  console.log(`SKIPPED: ${reason}`);
  process.exit(77);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** `apiquota serve` with these apis and flags, and those of APIQUOTA_TEST_FLAGS, ready. */
export async function startAgent(apis, given = []) {
  const home = mkdtempSync(path.join(tmpdir(), "apiquota-test-"));
  const admin = `127.0.0.1:${await freePort()}`;
  const proxy = `127.0.0.1:${await freePort()}`;
  const flags = [`--web.listen-address=${admin}`, `--proxy.listen-address=${proxy}`];
  const asked = (process.env.APIQUOTA_TEST_FLAGS ?? "").split(" ").filter(Boolean);
  const added = [...apis.flatMap((api) => ["--api", api]), ...given, ...asked];
  const child = spawn(process.env.APIQUOTA_BIN, ["serve", ...flags, ...added], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, HOME: home, XDG_STATE_HOME: home },
    cwd: home,
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const agent = {
    proxyUrl: `http://${proxy}`,
    quotas: async () => (await (await fetch(`http://${admin}/api/v1/quotas`)).json()).quotas,
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([ended, delay(5000).then(() => child.kill("SIGKILL"))]);
      rmSync(home, { recursive: true, force: true });
    },
  };
  for (const deadline = Date.now() + 10_000; ; await delay(50)) {
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}`);
    const ready = await fetch(`http://${admin}/-/ready`).then((r) => r.ok, () => false);
    if (ready) return agent;
    if (Date.now() > deadline) throw new Error("the agent is not ready within 10 s");
  }
}

/**
 * An upstream that answers `METHOD /path` from `script`: {status, headers, body} or {headers, events}. The
 * next event is sent only once received() has told of all bytes of the one before: whoever holds events back
 * waits for ever.
 */
export class Upstream {
  constructor(script) {
    this.script = script;
    this.requests = [];
    this.date = new Date().toUTCString();  // one for all, so that answers compare
    this.server = http.createServer((request, response) => this.#answer(request, response));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The requests since the last call. */
  take() {
    return this.requests.splice(0);
  }

  received(bytes) {
    this.missing -= bytes;
    if (this.missing <= 0) this.release?.();
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const fields = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) fields.push(request.rawHeaders.slice(i, i + 2));
    const body = Buffer.concat(chunks).toString();
    this.requests.push({ method: request.method, url: request.url, fields, body });
    const reply = this.script[`${request.method} ${request.url}`] ?? { status: 404, headers: {}, body: "{}" };
    const step = typeof reply === "function" ? reply(body) : reply;
    response.setHeader("Date", this.date);
    if (step.events) return this.#stream(step, response);
    const gzip = step.gzip && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    const bytes = gzip ? zlib.gzipSync(step.body) : Buffer.from(step.body);
    const encoding = gzip ? { "Content-Encoding": "gzip" } : {};
    response.writeHead(step.status, { ...step.headers, ...encoding, "Content-Length": bytes.length });
    response.end(bytes);
  }

  async #stream(step, response) {
    response.writeHead(200, step.headers);
    for (const event of step.events) {
      const heard = new Promise((resolve) => (this.release = resolve));
      this.missing = Buffer.byteLength(event);
      response.write(event);
      await heard;
    }
    response.end();
  }
}

/** A fetch that records what arrives, head and every byte of the body, and tells the upstream of it. */
export function recordingFetch(log, upstream) {
  return async (input, init) => {
    const response = await fetch(input, init);
    const entry = { status: response.status, fields: Object.fromEntries(response.headers), chunks: [] };
    log.push(entry);
    if (response.body === null) return response;
    const tee = new TransformStream({
      transform(chunk, controller) {
        entry.chunks.push(Buffer.from(chunk));
        upstream.received(chunk.length);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(tee), response);
  };
}

// Connections are each hop's own (RFC 9110 7.6.1); so is how a body is framed on them.
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);

export function endToEnd(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** A recorded request as it should be whichever way it came: without the hop's own fields and the Host; the
 * framing, which each hop writes anew, apart. */
export function sent(request) {
  const fields = request.fields.map(([name, value]) => [name.toLowerCase(), value]);
  const length = fields.find(([name]) => name === "content-length")?.[1];
  const own = new Set([...HOP_BY_HOP, "host", "content-length"]);
  return { ...request, fields: fields.filter(([name]) => !own.has(name)), length };
}
