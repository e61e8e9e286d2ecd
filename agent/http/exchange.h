// One request and its response as values: what every door (proxy, poller, ingest) hands to ExtractSignals.
// It holds what a quota decision may need and nothing more: no credential, no query string, no body, only the
// scalars of bodies that the exporter file asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/fields.h"

namespace apiquota::http {

enum class Door { kProxy, kPoll, kIngest };

// One scalar found in a JSON body: an RFC 6901 pointer and the value as text (strings unquoted). Segments of
// a pointer may be "*" for any key or index; `stars` are the ones found, in the pointer's order.
struct BodyValue {
  std::string pointer;
  std::string value;
  std::vector<std::string> stars = {};

  friend bool operator==(const BodyValue&, const BodyValue&) = default;
};

struct Exchange {
  std::string method;
  std::string host;  // of the upstream, lower case, without port
  std::string path;  // as sent upstream, without the query
  // The same below the base URL that the exporter's file knows, where the api has another: rules with a path
  // speak of either.
  std::string described_path;
  std::vector<BodyValue> request_body;

  int status = 0;
  Fields fields;                         // of the final response's head; trailers are not merged
  std::vector<BodyValue> response_body;  // of an event stream: the last value at each pointer
  std::vector<BodyValue> stream_event;   // of the first event that a throttle rule speaks of; else empty

  SystemTime sent_at;      // when the request's head had been sent; both in running time (base/clock.h),
  SystemTime received_at;  // when the response's head arrived
  Micros system_ahead{};   // the system clock, of that
  std::optional<SystemTime> date;  // the response's Date, if it has a readable one
  uint64_t order = 0;              // grows with the time requests were sent, per process

  Door door = Door::kProxy;
};

// Whether the path begins so, as sent or as described.
bool PathBegins(const Exchange& exchange, std::string_view prefix);

// The first value at `pointer`; nothing if the body had none.
std::optional<std::string_view> FindBodyValue(const std::vector<BodyValue>& values, std::string_view pointer);

}  // namespace apiquota::http
