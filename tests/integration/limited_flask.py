"""A Flask application whose /items is limited by Flask-Limiter, run by tests of the guard:

python3 limited_flask.py STRATEGY LIMIT      prints its port; /counted says what it let through and refused
"""

import sys
import threading
import time

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.serving import make_server

STRATEGY, LIMIT = sys.argv[1:]

app = Flask(__name__)
app.config["RATELIMIT_HEADERS_ENABLED"] = True
limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy=STRATEGY)
counted = {"admitted": 0, "refused": 0, "first": None}
lock = threading.Lock()


@app.get("/items")
@limiter.limit(LIMIT)
def items():
    return {"items": [1, 2, 3]}


@app.get("/counted")
@limiter.exempt
def what_was_counted():
    return {**counted, "now": time.time()}


@app.after_request
def count(response):
    if request.path == "/items":
        with lock:
            counted["first"] = counted["first"] or time.time()
            counted["refused" if response.status_code == 429 else "admitted"] += 1
    return response


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
