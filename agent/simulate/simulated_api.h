// A rate-limited API as a function from requests to responses, in the dialect of an exporter file. No
// sockets, no clock. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/fields.h"
#include "provider/exporter_rules.h"
#include "simulate/dialect.h"
#include "simulate/simulate.h"
#include "simulate/simulated_quota.h"

namespace apiquota::simulate {

struct SimulatedResponse {
  int status = 200;
  http::Fields fields;        // about limits only: framing, Date and content are the server's
  std::string body;           // JSON
  bool event_stream = false;  // `body` is one event of many
  std::string last_event{};   // … and this, if it is not empty, the one after them
};

// One event of a stream, as it goes over the wire. `json` may end with a line break.
std::string EventText(std::string_view json);

struct SimulatedStats {
  uint64_t requests = 0;  // all but those for /_simulate/
  uint64_t throttled = 0;
  uint64_t not_found = 0;  // outside --path
  uint64_t completed = 0;  // the response was sent whole
  uint64_t cancelled = 0;  // the client left before that
  uint64_t streams = 0;    // event streams begun
  uint64_t active = 0;     // under way now
};

class SimulatedApi {
 public:
  // `exporter` must outlive the api. Fails when a quota is not in the exporter file, or can't be said in a
  // response, or when the API never refuses in that scope.
  static Result<SimulatedApi> Create(const SimulateOptions& options, const provider::Exporter& exporter);

  // Charges all quotas, or none and answers with the throttle. `stream`: the client asked for events.
  SimulatedResponse Answer(std::string_view path, bool stream, SystemTime now);

  // What the API says when it refuses by this rule, for so long.
  SimulatedResponse Refuse(const provider::ThrottleRule& rule, std::string_view path, Micros wait,
                           SystemTime now) const;

  // By which rule it refuses.
  const provider::ThrottleRule& throttle() const { return throttle_; }

  // What is announced in a response with this status to a request for this path, as it stands.
  std::vector<SpokenQuota> Spoken(std::string_view path, int status, SystemTime now) const;

  // The page /_simulate/stats.
  std::string StatsJson(SystemTime now) const;

  SimulatedStats stats;

 private:
  struct Announced {
    const provider::QuotaRule* rule;
    std::string star;  // what stands for the '*' of its name
    double cost;
    SimulatedQuota quota;
  };

  SimulatedApi(const SimulateOptions& options, const provider::Exporter& exporter)
      : options_(options), exporter_(exporter) {}
  static bool Counts(const Announced& announced);
  Status ChooseThrottle();
  Status AnnounceFromOption(std::string_view text);
  Status AnnounceNamed(std::string_view name, std::optional<double> limit, std::optional<Micros> window);
  void AnnounceAll();
  void Announce(size_t rule, std::string_view star, std::optional<double> limit,
                std::optional<Micros> window);
  bool Announcable(const provider::QuotaRule& rule) const;
  void SayState(std::string_view path, int status, SystemTime now, ReplyWriter* reply) const;

  SimulateOptions options_;
  const provider::Exporter& exporter_;
  std::vector<Announced> announced_;
  provider::ThrottleRule throttle_;  // by which it refuses
};

}  // namespace apiquota::simulate
