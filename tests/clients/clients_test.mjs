// The official clients, directly and through the proxy: what they send and what they get is the same to the
// byte, and streams stay streams.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { endToEnd, recordingFetch, sent, skip, startAgent, Upstream } from "./harness.mjs";
import * as replies from "./replies.mjs";

const [{ default: OpenAI }, { default: Anthropic }, { Octokit }] = await Promise.all([
  import("openai"), import("@anthropic-ai/sdk"), import("@octokit/core"),
]).catch(() => skip("the clients are not installed (npm ci in tests/clients)"));

const messages = [{ role: "user", content: "Wie spät ist es? 几点了？" }];
const CHAT = { model: "gpt-4o-mini", messages };
const MESSAGE = { model: "claude-example-1", max_tokens: 64, messages };

const upstreams = {};
let agent;

before(async () => {
  for (const name of ["openai", "anthropic", "github"]) {
    upstreams[name] = await new Upstream(replies[name]).start();
  }
  agent = await startAgent(Object.entries(upstreams).map(([name, { url }]) => `my-${name}=${name}@${url}`));
});

after(async () => {
  await agent?.stop();
  for (const upstream of Object.values(upstreams)) upstream.stop();
});

/** What a gateway adds to a request (RFC 9110 7.6.3), and the only thing. */
function withVia(request, via) {
  return { ...request, fields: [...request.fields, ["via", via]] };
}

/** Runs `use(baseUrl, fetch)` directly and through the proxy; what came and went must be the same. */
async function bothWays(name, use) {
  const upstream = upstreams[name];
  const ways = [];
  for (const base of [upstream.url, `${agent.proxyUrl}/my-${name}`]) {
    const log = [];
    const result = await use(base, recordingFetch(log, upstream));
    ways.push({
      result,
      requests: upstream.take().map(sent),
      answers: log.map(({ status, fields, chunks }) => ({
        status, fields: endToEnd(fields), body: Buffer.concat(chunks).toString("base64"),
      })),
    });
  }
  const [direct, proxied] = ways;
  assert.ok(direct.requests.length > 0 && direct.answers.length === direct.requests.length);
  const via = proxied.requests[0].fields.find(([name]) => name === "via")[1];
  assert.match(via, /^1\.1 apiquota-[0-9a-f]{8}$/);
  assert.deepEqual(proxied.requests, direct.requests.map((request) => withVia(request, via)));
  assert.deepEqual(proxied.answers, direct.answers);
  assert.deepEqual(proxied.result, direct.result);
  return proxied;
}

async function quotas(api) {
  const rows = (await agent.quotas()).filter((quota) => quota.api === api);
  return Object.fromEntries(rows.map(({ resource, quota, limit, remaining }) =>
    [`${resource} ${quota}`, { limit, remaining }]));
}

/** Reads a client's stream to its end. The upstream sends no event before the one before it has arrived. */
async function readStream(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

function openai(base, fetch) {
  const baseURL = `${base}/v1`;
  return new OpenAI({ baseURL, apiKey: "sk-test", organization: "org-1", maxRetries: 0, fetch });
}

test("openai: a completion", async () => {
  const { result, answers } = await bothWays("openai", (base, fetch) =>
    openai(base, fetch).chat.completions.create(CHAT));
  assert.equal(result.choices[0].message.content, replies.TEXT.join(""));
  assert.equal(answers[0].fields["content-encoding"], "gzip");
  assert.deepEqual(await quotas("my-openai"), {
    "gpt-4o-mini requests": { limit: 500, remaining: 499 },
    "gpt-4o-mini tokens": { limit: 30000, remaining: 29976 },
  });
});

test("openai: a stream arrives event by event", async () => {
  const { result } = await bothWays("openai", async (base, fetch) => {
    const stream = await openai(base, fetch).chat.completions.create({ ...CHAT, stream: true });
    const events = await readStream(stream);
    return events.map((event) => event.choices[0].delta.content ?? "");
  });
  assert.equal(result.join(""), replies.TEXT.join(""));
});

// With the guard on the call would be repeated instead (guard_clients_test.mjs).
const skip429 = { skip: process.env.APIQUOTA_TEST_FLAGS?.includes("guard") ?? false };

test("openai: a 429 is the provider's own", skip429, async () => {
  const { result } = await bothWays("openai", (base, fetch) =>
    openai(base, fetch).models.retrieve("over").then(() => assert.fail("no error"), (error) => ({
      type: error.constructor.name, status: error.status, code: error.code, message: error.message,
      retryAfter: error.headers.get("retry-after"),
    })));
  assert.deepEqual(result, {
    type: "RateLimitError", status: 429, code: "rate_limit_exceeded", message: "429 Rate limit reached.",
    retryAfter: "20",
  });
});

function anthropic(base, fetch) {
  return new Anthropic({ baseURL: base, apiKey: "sk-ant-test", maxRetries: 0, fetch });
}

test("anthropic: a message", async () => {
  const { result } = await bothWays("anthropic", (base, fetch) =>
    anthropic(base, fetch).messages.create(MESSAGE));
  assert.equal(result.content[0].text, "Zwölf.");
  assert.deepEqual(await quotas("my-anthropic"), {
    "claude-example-1 requests": { limit: 1000, remaining: 999 },
    "claude-example-1 tokens": { limit: 80000, remaining: 79000 },
  });
});

test("anthropic: a stream arrives event by event", async () => {
  const { result } = await bothWays("anthropic", async (base, fetch) => {
    const stream = await anthropic(base, fetch).messages.create({ ...MESSAGE, stream: true });
    return readStream(stream);
  });
  const deltas = result.filter(({ type }) => type === "content_block_delta");
  assert.equal(deltas.map(({ delta }) => delta.text).join(""), replies.TEXT.join(""));
});

function octokit(base, fetch) {
  return new Octokit({ baseUrl: base, auth: "ghp_test", userAgent: "clients-test/1", request: { fetch } });
}

test("octokit: issues, with their Link and cookies", async () => {
  const { result } = await bothWays("github", async (base, fetch) => {
    const { status, headers, data } = await octokit(base, fetch).request(
      "GET /repos/{owner}/{repo}/issues{?per_page,state}",
      { owner: "octo", repo: "hello world", per_page: 2, state: "open" });
    return { status, headers: endToEnd(headers), data };
  });
  assert.equal(result.data[1].title, "第二");
  assert.match(result.headers.link, /rel="next"$/);
  assert.deepEqual(await quotas("my-github"), { "core requests": { limit: 5000, remaining: 4321 } });
});

test("octokit: a refusal", async () => {
  const { result } = await bothWays("github", (base, fetch) =>
    octokit(base, fetch).request("GET /user").then(() => assert.fail("no error"), ({ status, message }) =>
      ({ status, message })));
  assert.equal(result.status, 401);
});
