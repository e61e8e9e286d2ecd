"""Two days of an ordinary fleet, and on the second day incidents, each with what must be told of it."""

from dataclasses import dataclass, field

from series import DAY, MINUTES, REPLICAS, Fleet, Quota, ShortQuota, diurnal
from traffic import Traffic, expose_latency, expose_polls

TODAY = DAY


def clock(hours, minutes=0):
    """A minute of the day that is judged."""
    return TODAY + hours * 60 + minutes


@dataclass
class Incident:
    """One of `told` must fire before `deadline`; those and `also` may from `began` until `over`."""

    name: str
    labels: dict
    told: tuple
    began: int
    deadline: int
    over: int
    also: tuple = ()
    harm: str = "exhausted"
    first: int | None = field(default=None)


class Story:
    def __init__(self, seed=4290):
        self.fleet = Fleet(seed)
        self.incidents = []
        # Deploys: counters begin again. Replica b is down for twenty minutes tonight.
        self.fleet.restarts["a"] |= {300, TODAY + 320}
        self.fleet.restarts["b"] |= {305, TODAY + 325, clock(21, 20)}
        self.fleet.down["b"] |= set(range(clock(21), clock(21, 20)))
        self.agents()
        for chapter in (self.hourly, self.daily, self.no_reset, self.short_windows, self.money,
                        self.throttles, self.capacity, self.credentials, self.plans, self.polls, self.latency,
                        self.night, self.callers, self.ordinary):
            chapter()

    def day(self, peak, low=0.15, spread=0.1):
        return [self.fleet.noisy(peak * diurnal(i, low), spread) for i in range(MINUTES)]

    def incident(self, name, labels, told, began, deadline, over, **more):
        self.incidents.append(Incident(name, labels, told, began, deadline, over, **more))

    def agents(self):
        for replica in REPLICAS:
            labels = {"job": "apiquota", "instance": replica}
            down = self.fleet.down[replica]
            self.fleet.add("up", labels, [int(i not in down) for i in range(MINUTES)])
            starts, started = [], -86400
            for i in range(MINUTES):
                started = i * 60 if i in self.fleet.restarts[replica] else started
                starts.append(started)
            self.fleet.exposed(replica, {}, "process_start_time_seconds", starts)
            failed = set(range(clock(22), clock(22, 30))) if replica == "a" else set()
            self.fleet.exposed(replica, {}, "apiquota_config_last_reload_successful",
                               [int(i not in failed) for i in range(MINUTES)])
            self.fleet.exposed(replica, {"api": "github", "exporter": "github", "team": "platform"},
                               "apiquota_api_info", [1] * MINUTES)
        self.incident("a replica stops answering", {"instance": "b"}, ("ApiQuotaAgentDown",),
                      clock(21), clock(21, 5), clock(21, 21), harm="unwatched")
        self.incident("a reload fails", {"instance": "a"}, ("ApiQuotaReloadFailed",),
                      clock(22), clock(22, 5), clock(22, 31), harm="unnoticed")

    def hourly(self):
        """5000 an hour, with a burst at each deploy, of which a runaway loop takes what is left."""
        demand = self.day(45)
        for start in (600, 900, clock(10), clock(15, 3)):
            for i in range(start, start + 5):
                demand[i] += 120
        for i in range(clock(8, 10), clock(9, 20)):
            demand[i] += 170
        labels = {"api": "github", "key": "ci", "resource": "core", "quota": "requests", "unit": "requests"}
        quota = Quota(self.fleet, labels, 5000, demand, window=60, replicas=REPLICAS)
        quota.expose()
        # Another key of the same api goes about its business.
        Quota(self.fleet, {**labels, "key": "web"}, 5000, self.day(40), window=60).expose()
        calls = Traffic(self.fleet, "github", "ci", demand).throttled("primary", quota.refused)
        calls.expose()
        Traffic(self.fleet, "github", "web", self.day(40)).expose()
        self.incident("a loop runs away (5000 an hour)", {"api": "github", "key": "ci"},
                      ("ApiQuotaWillExhaust",), clock(8, 10), quota.first_empty(clock(8, 10)), clock(10),
                      also=("ApiQuotaHigh", "ApiQuotaCritical", "ApiQuotaExhausted", "ApiQuotaFewLeft",
                            "ApiThrottleSpike", "ApiUnusualConsumption"))

    def daily(self):
        """10000 a day, usually three quarters of them; today somebody sends twice as many from nine on."""
        demand = self.day(9.0)
        for i in range(clock(9), MINUTES):
            demand[i] *= 2
        labels = {"api": "mail", "key": "ci", "quota": "daily", "unit": "requests"}
        quota = Quota(self.fleet, labels, 10000, demand, window=DAY, replicas=REPLICAS)
        quota.expose()
        self.incident("twice the mail (10000 a day)", {"api": "mail"}, ("ApiQuotaWillExhaust",),
                      clock(9), quota.first_empty(clock(9)), MINUTES,
                      also=("ApiQuotaHigh", "ApiQuotaCritical", "ApiQuotaExhausted", "ApiQuotaFewLeft",
                            "ApiUnusualConsumption"))
        # And one that does each day what it did the day before.
        Quota(self.fleet, {**labels, "api": "sms"}, 10000, self.day(9.6), window=DAY).expose()

    def no_reset(self):
        """200 pulls in six hours, sliding; the API tells no reset. A build loops from one o'clock on."""
        demand = self.day(0.42, low=0.5, spread=0.3)
        for i in range(clock(13), clock(16)):
            demand[i] += 0.9
        labels = {"api": "docker-hub", "key": "anonymous", "quota": "pulls", "unit": "requests"}
        quota = Quota(self.fleet, labels, 200, demand, kind="sliding", window=360, reset=False)
        quota.expose()
        self.incident("a build loops (200 in 6 h, no reset)", {"api": "docker-hub"}, ("ApiQuotaHigh",),
                      clock(13), quota.first_empty(clock(13)), clock(22),
                      also=("ApiQuotaCritical", "ApiQuotaExhausted", "ApiQuotaFewLeft",
                            "ApiUnusualConsumption"))

    def short_windows(self):
        """500 a minute: a campaign fills one minute after another, then more than fills them."""
        labels = {"api": "openai", "key": "hmac:0a1b2c3d", "resource": "gpt-4o", "quota": "requests",
                  "unit": "requests"}
        demand = self.day(300)
        for i in range(0, MINUTES, 97):
            demand[i] = 480  # a full minute now and then is nobody's trouble
        for i in range(clock(10, 30), clock(12)):
            demand[i] = self.fleet.noisy(470 if i < clock(11) else 640, 0.03)
        quota = ShortQuota(self.fleet, labels, 500, demand)
        quota.expose()
        Traffic(self.fleet, "openai", "hmac:0a1b2c3d", demand).throttled("primary", quota.refused).expose()
        self.incident("a campaign (500 a minute)", {"api": "openai", "key": "hmac:0a1b2c3d"},
                      ("ApiShortWindowsFull",), clock(10, 30), quota.first_empty(clock(10, 30)),
                      clock(12, 30),
                      also=("ApiShortWindowsExhausted", "ApiThrottleSpike", "ApiUnusualConsumption"))

    def money(self):
        """1000 dollars, 15 a day; from six in the morning a retry loop spends 60 an hour."""
        spend = [self.fleet.noisy(15 / DAY) + (1.0 if i >= clock(6) else 0) for i in range(MINUTES)]
        labels = {"api": "anthropic", "key": "ci", "quota": "credits", "unit": "usd"}
        quota = Quota(self.fleet, labels, 1000, spend, kind="balance", replicas=REPLICAS)
        quota.expose()
        empty = quota.first_empty(clock(6))
        refused = [5.0 if i >= empty else 0.0 for i in range(MINUTES)]
        Traffic(self.fleet, "anthropic", "ci", self.day(20)).throttled("spend", refused).expose()
        self.incident("a budget melts (1000 usd)", {"api": "anthropic"}, ("ApiBudgetNearlySpent",),
                      clock(6), empty, MINUTES,
                      also=("ApiQuotaCritical", "ApiQuotaExhausted", "ApiQuotaFewLeft",
                            "ApiUnusualConsumption"))
        self.incident("calls without money", {"api": "anthropic"}, ("ApiSpendRefused",),
                      empty, empty + 5, MINUTES, harm="noticed late")

    def throttles(self):
        """An API without numbers that throttles one call in a hundred, and one in four for half an hour."""
        calls = self.day(60)
        share = [0.25 if clock(15) <= i < clock(15, 30) else 0.01 for i in range(MINUTES)]
        refused = [number * part for number, part in zip(calls, share)]
        Traffic(self.fleet, "shop", "ci", calls).throttled("primary", refused).expose()
        self.incident("throttled out of the blue", {"api": "shop"}, ("ApiThrottleSpike",),
                      clock(15), clock(15, 10), clock(15, 37), harm="half lost")
        # Another always throttles a tenth, and a third one next to nobody uses.
        usual = self.day(60)
        tenth = [self.fleet.noisy(number * 0.1) for number in usual]
        Traffic(self.fleet, "usual", "ci", usual).throttled("primary", tenth).expose()
        few = [1.0 if i % 7 == 0 else 0.0 for i in range(MINUTES)]
        Traffic(self.fleet, "quiet", "ci", few).throttled("primary", [c / 2 for c in few]).expose()
        secondary = [3.0 if clock(16, 20) <= i < clock(16, 40) else 0.0 for i in range(MINUTES)]
        Traffic(self.fleet, "forge", "ci", self.day(80)).throttled("secondary", secondary).expose()
        self.incident("calls too fast", {"api": "forge"}, ("ApiSecondaryThrottles",),
                      clock(16, 20), clock(16, 30), clock(16, 58), harm="banned")

    def capacity(self):
        """Too many workers at once; a provider in trouble for half an hour, after moments of it all day."""
        refused = [2.0 if clock(11) <= i < clock(11, 20) else 0.0 for i in range(MINUTES)]
        Traffic(self.fleet, "render", "ci", self.day(60)).throttled("concurrency", refused).expose()
        self.incident("too many calls at once", {"api": "render"}, ("ApiConcurrencyThrottles",),
                      clock(11), clock(11, 10), clock(11, 38), harm="retried")
        calls = self.day(40, low=0.5)
        overloads = [calls[i] * (0.4 if clock(18) <= i < clock(18, 30) or i % 211 == 0 else 0.01)
                     for i in range(MINUTES)]
        Traffic(self.fleet, "voice", "ci", calls).throttled("overload", overloads).expose()
        self.incident("a provider is overloaded", {"api": "voice"}, ("ApiProviderOverloaded",),
                      clock(18), clock(18, 15), clock(18, 38), harm="work fails")

    def credentials(self):
        """A key is revoked at noon and replaced after forty minutes; one call in fifty is always refused."""
        traffic = Traffic(self.fleet, "crm", "ci", self.day(12))
        revoked = range(clock(12), clock(12, 40))
        traffic.rejected = [call if i in revoked else call / 50 for i, call in enumerate(traffic.calls)]
        traffic.expose()
        expose_polls(self.fleet, "crm", "ci", set(revoked))
        self.incident("a key is revoked", {"api": "crm"}, ("ApiCredentialRejected",),
                      clock(12), clock(12, 20), clock(12, 56), also=("ApiPollFailing",), harm="all lost")

    def plans(self):
        """A smaller plan: 10000 an hour become 4000."""
        labels = {"api": "maps", "key": "ci", "quota": "requests", "unit": "requests"}
        change = clock(19)
        Quota(self.fleet, labels, lambda i: 4000 if i >= change else 10000, self.day(35), window=60,
              changes=[change]).expose()
        self.incident("the plan shrinks", {"api": "maps"}, ("ApiQuotaLimitChanged",),
                      change, change + 5, change + 17, harm="unnoticed")

    def polls(self):
        """One poll fails every three hours; for forty minutes all of them do."""
        failing = set(range(90, MINUTES, 180)) | set(range(clock(3), clock(3, 40)))
        expose_polls(self.fleet, "tickets", "ci", failing)
        self.incident("polls fail", {"api": "tickets"}, ("ApiPollFailing",),
                      clock(3), clock(3, 10), clock(3, 41), harm="unwatched")

    def latency(self):
        """A model answers within a second; for forty minutes it takes four."""
        calls = self.day(25, low=0.3)
        slow = range(clock(14), clock(14, 40))
        seconds = [self.fleet.noisy(4.0 if i in slow else 0.8, 0.2) for i in range(MINUTES)]
        Traffic(self.fleet, "model", "ci", calls).expose()
        expose_latency(self.fleet, "model", calls, seconds)
        self.incident("slow answers", {"api": "model"}, ("ApiLatencyHigh",),
                      clock(14), clock(14, 20), clock(14, 56), harm="timeouts")

    def night(self):
        """A leaked key is used in the small hours."""
        demand = self.day(50)
        for i in range(clock(2), clock(4)):
            demand[i] += 50
        labels = {"api": "geo", "key": "ci", "quota": "requests", "unit": "requests"}
        Quota(self.fleet, labels, 6000, demand, window=60).expose()
        self.incident("a leaked key at night", {"api": "geo"}, ("ApiUnusualConsumption",),
                      clock(2), clock(3, 30), clock(5), harm="unnoticed")

    def callers(self):
        """The nightly batch is alone each night; at five in the afternoon a caller crowds out the others."""
        web = self.day(30)
        batch = [20.0 if i % DAY in range(120, 240) else 0.5 for i in range(MINUTES)]
        loop = [self.fleet.noisy(180) if clock(17) <= i < clock(18) else 0.0 for i in range(MINUTES)]
        for caller, calls, born in (("web", web, 0), ("nightly", batch, 0), ("loop", loop, clock(16))):
            Traffic(self.fleet, "search", "ci", calls, caller, born).expose()
        self.incident("one caller crowds out the others", {"api": "search", "caller": "loop"},
                      ("ApiCallerDominates",), clock(17), clock(17, 45), clock(18, 31), harm="crowded out")

    def ordinary(self):
        """What must never be heard of, beside all of the above when nothing is the matter."""
        # An hour's quota that ends at seven tenths each time, at night and at noon.
        labels = {"key": "ci", "quota": "requests", "unit": "requests"}
        Quota(self.fleet, {"api": "steady", **labels}, 3000, self.day(36, low=0.9), window=60,
              replicas=REPLICAS).expose()
        # A batch of fifteen minutes each hour that takes two thirds and stops.
        batch = [self.fleet.noisy(130) if i % 60 < 15 else 1.0 for i in range(MINUTES)]
        Quota(self.fleet, {"api": "batch", **labels}, 3000, batch, window=60).expose()
        # Nobody calls this one.
        Quota(self.fleet, {"api": "idle", **labels}, 3000, [0.0] * MINUTES, window=60).expose()
        # A key that is met at eleven, with a counter that has counted before it was first seen.
        Traffic(self.fleet, "github", "hmac:11223344", self.day(3), born=clock(11)).expose()
        # In the last minute before its reset this one is used up, again and again.
        last = [100.0 if i % 60 == 59 else 0.0 for i in range(MINUTES)]
        Quota(self.fleet, {"api": "burst", **labels}, 100, last, window=10).expose()
