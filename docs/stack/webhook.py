"""Prints what Alertmanager sends to it, one line per alert. For the demo; a pager is what you want instead."""

import http.server
import json


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in message["alerts"]:
            labels = alert["labels"]
            print(self.path, alert["status"], labels.get("severity", "-"), labels["alertname"],
                  labels.get("api", "-"), labels.get("quota", "-"), alert["annotations"].get("description", ""))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *arguments):
        """One line per alert is enough."""


http.server.HTTPServer(("", 9099), Receiver).serve_forever()
