"""Official Python clients through the guard, run by sdks.py with a Python that has them:

    python sdk_calls.py AGENT_URL      prints one JSON object a client and rule

The API behind /openai, /anthropic, /gemini knows by the credential what to say (sdks.py).
"""

import json
import sys
import time

import anthropic
import openai
from google import genai
from langchain_openai import ChatOpenAI

AGENT = sys.argv[1]
QUESTION = [{"role": "user", "content": "What time is it?"}]


class OpenAI:
    def __init__(self, key, timeout=600):
        self.client = openai.OpenAI(
            base_url=f"{AGENT}/openai/v1", api_key=key, timeout=timeout, max_retries=0
        )

    def call(self):
        made = self.client.chat.completions.create(model="m", messages=QUESTION)
        return made.choices[0].message.content

    def stream(self):
        events = self.client.chat.completions.create(model="m", messages=QUESTION, stream=True)
        return [(time.monotonic(), event.choices[0].delta.content or "") for event in events]


class LangChain:
    def __init__(self, key, timeout=600):
        self.client = ChatOpenAI(
            base_url=f"{AGENT}/openai/v1", api_key=key, model="m", timeout=timeout, max_retries=0
        )

    def call(self):
        return self.client.invoke("What time is it?").content

    def stream(self):
        return [(time.monotonic(), chunk.content) for chunk in self.client.stream("What time is it?")]


class Anthropic:
    def __init__(self, key, timeout=600):
        self.client = anthropic.Anthropic(
            base_url=f"{AGENT}/anthropic", api_key=key, timeout=timeout, max_retries=0
        )

    def call(self):
        return self.client.messages.create(model="m", max_tokens=64, messages=QUESTION).content[0].text

    def stream(self):
        events = self.client.messages.create(model="m", max_tokens=64, messages=QUESTION, stream=True)
        return [
            (time.monotonic(), event.delta.text) for event in events if event.type == "content_block_delta"
        ]


class GoogleGenAI:
    def __init__(self, key, timeout=600):
        self.client = genai.Client(api_key=key, http_options={"base_url": f"{AGENT}/gemini"})

    def call(self):
        return self.client.models.generate_content(model="m", contents="What time is it?").text

    def stream(self):
        made = self.client.models.generate_content_stream(model="m", contents="What time is it?")
        return [(time.monotonic(), chunk.text) for chunk in made]


def timed(function):
    start = time.monotonic()
    try:
        said = {"value": function()}
    except Exception as error:  # noqa: BLE001
        said = {"error": type(error).__name__, "sentence": str(error)}
    return {**said, "seconds": time.monotonic() - start}


def report(client, rule, said):
    print(json.dumps({"client": client, "rule": rule, **said}), flush=True)


def run(name, make, limits):
    report(name, "plain", timed(make(f"{name}-plain").call))
    streamed = timed(make(f"{name}-plain").stream)
    if pieces := streamed.pop("value", []):
        streamed["value"] = "".join(text for _, text in pieces)
        streamed["spread_s"] = pieces[-1][0] - pieces[0][0]
    report(name, "stream", streamed)
    report(name, "refused once", timed(make(f"{name}-refused").call))
    if not limits:
        return
    make(f"{name}-drained").call()
    report(name, "drained", timed(make(f"{name}-drained").call))
    make(f"{name}-empty").call()
    report(name, "impatient", timed(make(f"{name}-empty", 2).call))


def main():
    run("openai", OpenAI, True)
    run("langchain", LangChain, True)
    run("anthropic", Anthropic, True)
    run("google-genai", GoogleGenAI, False)


main()
