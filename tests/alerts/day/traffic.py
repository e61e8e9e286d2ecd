"""Counters of what goes through the agents, and of their polls, for the simulated fleet."""

from series import MINUTES, REPLICAS

LATENCY_BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def halves(values):
    return [value / 2 for value in values]


class Traffic:
    """Calls to an api with one key. Lists hold what happened in each minute."""

    def __init__(self, fleet, api, key, calls, caller="", born=0):
        self.fleet, self.labels = fleet, {"api": api, "key": key}
        self.calls, self.caller, self.born = calls, caller, born
        self.throttles, self.rejected = {}, [0.0] * MINUTES

    def throttled(self, scope, numbers):
        self.throttles[scope] = numbers
        return self

    def expose(self):
        refused = [sum(column) for column in zip([0.0] * MINUTES, *self.throttles.values())]
        fine = [max(0.0, calls - no - bad) for calls, no, bad in zip(self.calls, refused, self.rejected)]
        codes = {"429": refused, "401": self.rejected, "200": fine}
        labels = {**self.labels, "caller": self.caller}
        for replica in REPLICAS:
            for code, numbers in codes.items():
                self.fleet.counted(replica, {**labels, "method": "GET", "code": code, "door": "proxy"},
                                   "apiquota_upstream_requests_total", halves(numbers), self.born)
            for scope, numbers in self.throttles.items():
                self.fleet.counted(replica, {**labels, "scope": scope, "signal": "status"},
                                   "apiquota_throttles_total", halves(numbers), self.born)
            if any(self.rejected):
                self.fleet.counted(replica, self.labels, "apiquota_auth_failures_total",
                                   halves(self.rejected))


def expose_latency(fleet, api, calls, seconds):
    """First bytes spread evenly between half and one and a half times seconds[minute]."""
    name = "apiquota_upstream_first_byte_seconds"
    for replica in REPLICAS:
        for bound in LATENCY_BOUNDS:
            shares = [min(1.0, max(0.0, bound / mean - 0.5)) for mean in seconds]
            within = [number / 2 * share for number, share in zip(calls, shares)]
            fleet.counted(replica, {"api": api, "le": bound}, f"{name}_bucket", within)
        fleet.counted(replica, {"api": api, "le": "+Inf"}, f"{name}_bucket", halves(calls))
        fleet.counted(replica, {"api": api}, f"{name}_count", halves(calls))


def expose_polls(fleet, api, key, failing):
    """Polls once a minute by replica a; `failing` is the set of minutes in which they fail."""
    labels, last = {"api": api, "key": key}, None
    successes = []
    for minute in range(MINUTES):
        last = last if minute in failing else minute * 60
        successes.append(last)
    fleet.exposed("a", labels, "apiquota_poll_success", [int(i not in failing) for i in range(MINUTES)])
    fleet.exposed("a", labels, "apiquota_poll_interval_seconds", [60] * MINUTES)
    fleet.exposed("a", labels, "apiquota_poll_last_success_timestamp_seconds", successes)
