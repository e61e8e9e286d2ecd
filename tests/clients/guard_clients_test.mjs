// The official clients through the guard: what an API refuses is repeated and they never see it, they wait
// for their turn and their streams stay streams, and what can't be served in time is an error of their own
// kind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { skip, startAgent, Upstream } from "./harness.mjs";

const { apis, STREAMED } = await import("./guarded_apis.mjs").catch((error) =>
  error.code === "ERR_MODULE_NOT_FOUND" ? skip("the clients are not installed (npm ci in tests/clients)")
    : Promise.reject(error));

const realFetch = globalThis.fetch;
const answers = [];
let agent;

/** An API whose next answers a test puts into `next`; others are its ordinary ones. */
class GuardedApi extends Upstream {
  constructor(name, api) {
    super({});
    Object.assign(this, { name, api, next: [] });
    const say = (ordinary) => (body) => {
      this.date = new Date().toUTCString();  // resets are read by the API's own clock
      const change = this.next.shift() ?? ((reply) => reply);
      return change(ordinary(body));
    };
    this.script[api.path] = say(api.reply);
    if (api.streamPath) this.script[api.streamPath] = say(api.streamReply);
  }

  /** The next answer is this one; or the ordinary one with these fields, too. */
  answersOnce(reply) {
    this.next.push(() => reply);
  }

  saysOnce(fields) {
    this.next.push((reply) => ({ ...reply, headers: { ...reply.headers, ...fields } }));
  }

  client(key) {
    return this.api.client(`${agent.proxyUrl}/${this.name}`, key);
  }
}

const upstreams = Object.entries(apis).map(([name, api]) => new GuardedApi(name, api));

before(async () => {
  for (const upstream of upstreams) await upstream.start();
  // Tells an upstream what has arrived of its events: it sends none before.
  globalThis.fetch = async (input, init) => {
    const response = await realFetch(input, init);
    answers.push(response);
    const url = String(input?.url ?? input);
    const upstream = upstreams.find(({ name }) => url.includes(`/${name}/`));
    if (!upstream || response.body === null) return response;
    const tee = new TransformStream({
      transform(chunk, controller) {
        upstream.received(chunk.length);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(tee), response);
  };
  const flags = upstreams.map(({ name, url, api }) => `${name}=${api.exporter}@${url}`);
  agent = await startAgent(flags, ["--guard=on"]);
});

after(async () => {
  globalThis.fetch = realFetch;
  await agent?.stop();
  for (const upstream of upstreams) upstream.stop();
});

async function timed(promise) {
  const start = performance.now();
  const result = await promise.then((value) => ({ value }), (error) => ({ error }));
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

for (const upstream of upstreams) {
  const { name, api } = upstream;

  test(`${name}: what the API refuses is repeated, byte for byte, and never seen`, async () => {
    upstream.take();
    upstream.answersOnce(api.throttle(1));
    const { value, error, seconds } = await timed(api.call(upstream.client("key-of-repeats")));
    assert.equal(error, undefined);
    assert.equal(value, api.text);
    assert.ok(seconds >= 1, `after ${seconds} s: the API said 1`);
    const [first, second, ...more] = upstream.take();
    assert.deepEqual(more, []);
    assert.deepEqual(second, first);
    const delay = answers.at(-1).headers.get("apiquota-delay");
    assert.match(delay, /^\d+(\.\d+)?;reason=(retry|retry_after|cooldown)/);
  });

  if (api.stream) {
    test(`${name}: a stream that was refused once is repeated and arrives event by event`, async () => {
      upstream.answersOnce(api.throttle(1));
      assert.equal(await api.stream(upstream.client("key-of-streams")), STREAMED);
    });
  }

  if (api.drained) {
    test(`${name}: who finds nothing left waits for it`, async () => {
      upstream.saysOnce(api.drained(2));
      const client = upstream.client("key-of-waits");
      assert.equal(await api.call(client), api.text);
      const stream = Boolean(api.stream);
      const { value, error, seconds } = await timed(stream ? api.stream(client) : api.call(client));
      assert.equal(error, undefined);
      assert.equal(value, stream ? STREAMED : api.text);
      assert.ok(seconds >= 1, `after ${seconds} s`);
      assert.match(answers.at(-1).headers.get("apiquota-delay"), /;reason=pace;quota=requests/);
    });
  }

  if (api.impatient) {
    test(`${name}: who can't wait so long is told at once, in an error of its own kind`, async () => {
      upstream.saysOnce(api.drained(60));
      const client = upstream.client("key-of-haste");
      assert.equal(await api.call(client), api.text);
      upstream.take();
      const { error, seconds } = await timed(api.call(client, 2000));
      assert.equal(error?.status, 429);
      assert.match(error.constructor.name, /RateLimitError/);
      assert.match(error.message, /\bquota\b|\blimit\b/i);
      assert.doesNotMatch(error.message, /no body|undefined|object Object/);
      assert.ok(seconds < 1, `after ${seconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.deepEqual(upstream.take(), [], "nothing is sent for who has left");
    });
  }
}
