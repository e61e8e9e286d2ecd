// Replies as the providers document them, with their rate-limit fields; texts are our own.
const json = { "Content-Type": "application/json" };
const sse = { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache" };

const openaiLimits = {
  "x-ratelimit-limit-requests": "500",
  "x-ratelimit-remaining-requests": "499",
  "x-ratelimit-reset-requests": "1m12s",
  "x-ratelimit-limit-tokens": "30000",
  "x-ratelimit-remaining-tokens": "29976",
  "x-ratelimit-reset-tokens": "48s",
  "x-request-id": "req_0001",
  "openai-processing-ms": "214",
};

const completion = {
  id: "chatcmpl-1", object: "chat.completion", created: 1790000000, model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "Zwölf — 十二 — 🕛" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 15, total_tokens: 24 },
};

const completionDelta = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-2", object: "chat.completion.chunk", created: 1790000000, model: "gpt-4o-mini",
    choices: [{ index: 0, delta, finish_reason }],
  })}\n\n`;

const anthropicLimits = {
  "anthropic-ratelimit-requests-limit": "1000",
  "anthropic-ratelimit-requests-remaining": "999",
  "anthropic-ratelimit-requests-reset": new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, ""),
  "anthropic-ratelimit-tokens-limit": "80000",
  "anthropic-ratelimit-tokens-remaining": "79000",
  "anthropic-ratelimit-tokens-reset": new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, ""),
  "request-id": "req_0002",
};

const message = {
  id: "msg_1", type: "message", role: "assistant", model: "claude-example-1", stop_reason: "end_turn",
  stop_sequence: null, content: [{ type: "text", text: "Zwölf." }],
  usage: { input_tokens: 9, output_tokens: 5 },
};

const named = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const textDelta = (text) =>
  named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

export const TEXT = ["Zwölf", " ", "— 十二 —", " 🕛"];

export const openai = {
  "POST /v1/chat/completions": (body) =>
    JSON.parse(body).stream
      ? {
          headers: { ...sse, ...openaiLimits },
          events: [completionDelta({ role: "assistant", content: "" }),
                   ...TEXT.map((content) => completionDelta({ content })),
                   completionDelta({}, "stop"), "data: [DONE]\n\n"],
        }
      : {
          status: 200, headers: { ...json, ...openaiLimits }, body: JSON.stringify(completion, null, 2),
          gzip: true,
        },
  "GET /v1/models/over": {
    status: 429,
    headers: { ...json, ...openaiLimits, "x-ratelimit-remaining-requests": "0", "retry-after": "20",
               "retry-after-ms": "19500" },
    body: JSON.stringify({ error: { message: "Rate limit reached.", type: "requests", param: null,
                                    code: "rate_limit_exceeded" } }),
  },
};

export const anthropic = {
  "POST /v1/messages": (body) =>
    JSON.parse(body).stream
      ? {
          headers: { ...sse, ...anthropicLimits },
          events: [named({ type: "message_start", message: { ...message, content: [], stop_reason: null } }),
                   named({ type: "content_block_start", index: 0,
                           content_block: { type: "text", text: "" } }),
                   named({ type: "ping" }), ...TEXT.map(textDelta),
                   named({ type: "content_block_stop", index: 0 }),
                   named({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null },
                           usage: { output_tokens: 15 } }),
                   named({ type: "message_stop" })],
        }
      : { status: 200, headers: { ...json, ...anthropicLimits }, body: JSON.stringify(message), gzip: true },
};

export const github = {
  "GET /repos/octo/hello%20world/issues?per_page=2&state=open": {
    status: 200,
    headers: {
      "Content-Type": "application/json; charset=utf-8", ETag: 'W/"4e3f"',
      Link: '<https://api.github.com/repositories/1/issues?per_page=2&page=2>; rel="next"',
      "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4321", "X-RateLimit-Used": "679",
      "X-RateLimit-Reset": String(Math.floor(Date.now() / 1000) + 1800), "X-RateLimit-Resource": "core",
      "Set-Cookie": ["a=1; Path=/", "b=2; Path=/"],
    },
    body: JSON.stringify([{ number: 1, title: "Überschrift" }, { number: 2, title: "第二" }]),
    gzip: true,
  },
  "GET /user": { status: 401, headers: json, body: JSON.stringify({ message: "Bad credentials" }) },
};
