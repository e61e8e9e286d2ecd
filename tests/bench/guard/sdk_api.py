"""The API behind the official clients of sdk_calls.py: it knows by the credential what to say."""

import datetime
import json
import time

TEXT = ["It", " is", " noon", "."]


def key_of(fields):
    for name in ("x-api-key", "x-goog-api-key"):
        if name in fields:
            return fields[name]
    return fields.get("authorization", "").removeprefix("Bearer ")


def event(value, name=None):
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def openai_chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


def openai(stream):
    if stream:
        return [
            *(openai_chunk({"content": text}) for text in TEXT),
            openai_chunk({}, "stop"),
            b"data: [DONE]\n\n",
        ]
    message = {"role": "assistant", "content": "".join(TEXT)}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    }


def anthropic(stream):
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }
    if not stream:
        content = [{"type": "text", "text": "".join(TEXT)}]
        return {**message, "content": content, "stop_reason": "end_turn"}
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": text} for text in TEXT]
    steps = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]
    return [event(step, step["type"]) for step in steps]


def gemini(stream):
    def part(text):
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]}

    return [event(part(text)) for text in TEXT] if stream else part("".join(TEXT))


def left(api, seconds):
    """Nothing for so long, in the API's own words."""
    if api == "openai":
        return {
            "x-ratelimit-limit-requests": 2,
            "x-ratelimit-remaining-requests": 0,
            "x-ratelimit-reset-requests": f"{2 * seconds}s",
        }
    reset = datetime.datetime.fromtimestamp(int(time.time() + 60) + 1, datetime.UTC)
    return {  # a bucket of a minute
        "anthropic-ratelimit-requests-limit": 60 // seconds,
        "anthropic-ratelimit-requests-remaining": 0,
        "anthropic-ratelimit-requests-reset": reset.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def refusal(api):
    if api == "gemini":
        wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
        error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Later.", "details": [wait]}
        return 429, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode()
    error = {"type": "rate_limit_error", "message": "Later.", "code": "rate_limit_exceeded"}
    fields = {"Content-Type": "application/json", "retry-after": 1}
    return 429, fields, json.dumps({"type": "error", "error": error}).encode()


class SdkApi:
    """Callable as the answer of a NotingApi."""

    def __init__(self):
        self.asked = {}  # how often, by credential

    @staticmethod
    def api_of(path):
        if "enerateContent" in path:
            return "gemini"
        return "anthropic" if "messages" in path else "openai"

    def __call__(self, arrival):
        api = self.api_of(arrival.path)
        key = key_of(arrival.fields)
        first = self.asked.setdefault(key, 0) == 0
        self.asked[key] += 1
        if first and key.endswith("-refused"):
            return refusal(api)
        stream = "streamGenerateContent" in arrival.path or json.loads(arrival.body or b"{}").get(
            "stream", False
        )
        said = {"openai": openai, "anthropic": anthropic, "gemini": gemini}[api](stream)
        fields = {"Content-Type": "text/event-stream" if stream else "application/json"}
        for rule, seconds in (("-drained", 2), ("-empty", 60)):
            if first and key.endswith(rule):
                fields |= left(api, seconds)
        return 200, fields, said if stream else json.dumps(said).encode()
