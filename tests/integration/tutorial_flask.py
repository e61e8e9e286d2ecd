"""The Flask application of Flask-Limiter's tutorials, with and without Flask-Limiter:

python3 tutorial_flask.py STRATEGY RULES WINDOW

STRATEGY: none, fixed-window, moving-window. RULES: default (each route 10 in WINDOW seconds, /predict 5, for
each address), application (10 for all routes together, /predict 5 besides), roles (10 for the role admin,
else 5, for each header X-User), ample (never reached). Prints its port; /counted says when which route let
whom through. It takes the word of the proxy in front of it for the client's address.
"""

import sys
import threading
import time

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import WSGIRequestHandler, make_server

STRATEGY, RULES, WINDOW = sys.argv[1:]
TEN, FIVE = (f"{count} per {WINDOW} second" for count in (10, 5))
AMPLE = f"1000000000 per {WINDOW} second"

app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)
app.config["RATELIMIT_HEADERS_ENABLED"] = True
app.config["RATELIMIT_ENABLED"] = STRATEGY != "none"
admitted = []
lock = threading.Lock()


def user():
    return request.headers.get("X-User", "")


def of_the_role():
    return TEN if request.headers.get("X-Role") == "admin" else FIVE


limiter = Limiter(
    user if RULES == "roles" else get_remote_address,
    app=app,
    storage_uri="memory://",
    strategy="fixed-window" if STRATEGY == "none" else STRATEGY,
    default_limits={"default": [TEN], "roles": [of_the_role], "ample": [AMPLE]}.get(RULES, []),
    application_limits=[TEN] if RULES == "application" else [],
)


def note(route):
    with lock:
        admitted.append((time.time(), request.remote_addr, route))
    return {"route": route}


@app.route("/predict", methods=["GET", "POST"])
@limiter.limit(of_the_role if RULES == "roles" else FIVE)
def predict():
    return note("/predict")


@app.get("/items")
def items():
    return note("/items")


@app.get("/report")
def report():
    return note("/report")


@app.get("/health")
@limiter.exempt
def health():
    return {"well": True}


@app.get("/counted")
@limiter.exempt
def counted():
    with lock:
        return {"admitted": admitted}


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    print(server.port, flush=True)
    server.serve_forever()
