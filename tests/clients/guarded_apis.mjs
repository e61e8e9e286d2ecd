// The APIs of guard_clients_test.mjs: how their clients call and stream, what they answer, how they refuse,
// and how they say that nothing is left. Texts are our own.
import * as replies from "./replies.mjs";

const [{ default: OpenAI }, { default: Anthropic }, { Octokit }, { GoogleGenAI }, { ChatOpenAI }] =
  await Promise.all([
    import("openai"), import("@anthropic-ai/sdk"), import("@octokit/core"), import("@google/genai"),
    import("@langchain/openai"),
  ]);

const json = { "Content-Type": "application/json" };
const sse = { "Content-Type": "text/event-stream" };
const QUESTION = "Wie spät ist es?";
const messages = [{ role: "user", content: QUESTION }];

const wholeSeconds = (seconds) => Math.ceil(Date.now() / 1000 + seconds);
const timestamp = (seconds) => new Date(wholeSeconds(seconds) * 1000).toISOString().replace(/\.\d+/, "");

const openaiDrained = (seconds) => ({
  "x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "0",
  "x-ratelimit-reset-requests": `${2 * seconds}s`,
});

const openaiThrottle = (seconds) => ({
  status: 429, headers: { ...json, "retry-after": String(seconds) },
  body: JSON.stringify({ error: { message: "Rate limit reached.", type: "requests", param: null,
                                  code: "rate_limit_exceeded" } }),
});

/** Without the limits that the reply has: an API that says nothing of them. */
const silent = (reply) => ({
  ...reply,
  headers: Object.fromEntries(Object.entries(reply.headers).filter(([name]) => !/ratelimit/i.test(name))),
});

function openaiReply(body) {
  return silent(replies.openai["POST /v1/chat/completions"](body));
}

const geminiPart = (text) => ({ candidates: [{ content: { role: "model", parts: [{ text }] }, index: 0 }] });

const openaiText = "Zwölf — 十二 — 🕛";

export const apis = {
  openai: {
    exporter: "openai",
    path: "POST /v1/chat/completions",
    reply: openaiReply, throttle: openaiThrottle, drained: openaiDrained,
    text: openaiText,
    client: (base, apiKey) => new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 0 }),
    impatient: true,
    // This client says its timeout only where a call has one of its own.
    call: async (client, timeout) => (await client.chat.completions.create(
      { model: "gpt-4o-mini", messages }, timeout && { timeout })).choices[0].message.content,
    async stream(client) {
      const texts = [];
      for await (const event of await client.chat.completions.create({
        model: "gpt-4o-mini", messages, stream: true,
      })) texts.push(event.choices[0].delta.content ?? "");
      return texts.join("");
    },
  },

  langchain: {
    exporter: "openai",
    path: "POST /v1/chat/completions",
    reply: openaiReply, throttle: openaiThrottle, drained: openaiDrained,
    text: openaiText,
    client: (base, apiKey) => new ChatOpenAI({
      model: "gpt-4o-mini", apiKey, maxRetries: 0, configuration: { baseURL: `${base}/v1` },
    }),
    call: async (client) => (await client.invoke(QUESTION)).content,
    async stream(client) {
      const texts = [];
      for await (const chunk of await client.stream(QUESTION)) texts.push(chunk.content);
      return texts.join("");
    },
  },

  anthropic: {
    exporter: "anthropic",
    path: "POST /v1/messages",
    reply: (body) => silent(replies.anthropic["POST /v1/messages"](body)),
    throttle: (seconds) => ({
      status: 429, headers: { ...json, "retry-after": String(seconds) },
      body: JSON.stringify({ type: "error", error: { type: "rate_limit_error", message: "Too many." } }),
    }),
    drained: (seconds) => ({  // a bucket of a minute
      "anthropic-ratelimit-requests-limit": String(60 / seconds),
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": timestamp(60),
    }),
    text: "Zwölf.",
    client: (base, apiKey) => new Anthropic({ baseURL: base, apiKey, maxRetries: 0 }),
    impatient: true,
    call: async (client, timeout) => (await client.messages.create(
      { model: "claude-example-1", max_tokens: 64, messages }, timeout && { timeout })).content[0].text,
    async stream(client) {
      const texts = [];
      for await (const event of await client.messages.create({
        model: "claude-example-1", max_tokens: 64, messages, stream: true,
      })) if (event.type === "content_block_delta") texts.push(event.delta.text);
      return texts.join("");
    },
  },

  octokit: {
    exporter: "github",
    path: "GET /repos/octo/hello/issues",
    reply: () => ({
      status: 200, headers: json, body: JSON.stringify([{ number: 1, title: "Überschrift" }]),
    }),
    throttle: (seconds) => ({
      status: 429, headers: { ...json, "retry-after": String(seconds) },
      body: JSON.stringify({ message: "You have exceeded a secondary rate limit." }),
    }),
    drained: (seconds) => ({
      "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-used": "60",
      "x-ratelimit-reset": String(wholeSeconds(seconds)), "x-ratelimit-resource": "core",
    }),
    text: "Überschrift",
    client: (base, auth) => new Octokit({
      baseUrl: base, auth, request: { fetch: (...call) => fetch(...call) },
    }),
    call: async (client) => (await client.request("GET /repos/octo/hello/issues")).data[0].title,
  },

  genai: {
    exporter: "google-gemini",
    path: "POST /v1beta/models/gemini-example:generateContent",
    streamPath: "POST /v1beta/models/gemini-example:streamGenerateContent?alt=sse",
    reply: () => ({ status: 200, headers: json, body: JSON.stringify(geminiPart("Zwölf.")) }),
    streamReply: () => ({
      headers: sse,
      events: replies.TEXT.map((text) => `data: ${JSON.stringify(geminiPart(text))}\r\n\r\n`),
    }),
    throttle: (seconds) => ({
      status: 429, headers: json,
      body: JSON.stringify({ error: {
        code: 429, status: "RESOURCE_EXHAUSTED", message: "Quota exceeded.",
        details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${seconds}s` }],
      } }),
    }),
    text: "Zwölf.",
    client: (base, apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base } }),
    call: async (client) =>
      (await client.models.generateContent({ model: "gemini-example", contents: QUESTION })).text,
    async stream(client) {
      const texts = [];
      for await (const chunk of await client.models.generateContentStream({
        model: "gemini-example", contents: QUESTION,
      })) texts.push(chunk.text);
      return texts.join("");
    },
  },
};

export const STREAMED = replies.TEXT.join("");
