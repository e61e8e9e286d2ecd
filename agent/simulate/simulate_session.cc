#include "simulate/simulate_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "http/date.h"
#include "net/gzip.h"

namespace apiquota::simulate {
namespace {

constexpr net::ServerLimits kLimits;
constexpr size_t kBodyBytesMax = 256 * 1024;  // of a request: enough to look for "stream": true
constexpr std::string_view kStatsPath = "/_simulate/stats";
constexpr std::string_view kTruthPath = "/_simulate/truth";
constexpr std::string_view kSeconds = "?seconds=";
constexpr double kSecondsMax = 1e9;

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

SimulateSession::SimulateSession(SimulateServer& server, net::Stream stream)
    : server_(server),
      timer_(*this),
      address_(stream.peer().ip.ToText()),
      connection_(server.loop(), std::move(stream), kLimits, *this) {}

void SimulateSession::OnRequest(std::span<const std::string_view> body, bool complete) {
  body_.clear();
  body_bytes_ = 0;
  if (!complete) connection_.Continue();
  OnBody(body, complete);
}

void SimulateSession::OnBody(std::span<const std::string_view> body, bool complete) {
  for (const std::string_view slice : body) {
    body_.append(slice.substr(0, kBodyBytesMax - body_.size()));
    body_bytes_ += slice.size();
  }
  if (complete) Decide();
}

void SimulateSession::Decide() {
  SimulatedApi& api = server_.api();
  const SystemTime now = server_.loop().clock().SystemNow();
  const std::string_view target = connection_.request().target;
  if (SendPage(target, now)) return;
  counted_ = true;
  ++api.stats.active;
  const nlohmann::json body = nlohmann::json::parse(body_, nullptr, false);
  const SimulatedRequest request{.path = PathOf(target),
                                 .stream = ClientWantsStream(body),
                                 .key = Key(),
                                 .address = address_,
                                 .tokens = Tokens(body)};
  response_ = api.Answer(request, now);
  if (server_.options().latency == Micros(0)) return SendReply();
  server_.loop().timers().Arm(timer_, server_.options().latency);
}

// Those about the simulation itself.
bool SimulateSession::SendPage(std::string_view target, SystemTime now) {
  SimulatedApi& api = server_.api();
  const std::string_view path = PathOf(target);
  const std::string_view query = target.substr(path.size());
  if (path == kStatsPath) {
    response_ = {.fields = {}, .body = api.StatsJson(now)};
  } else if (path == kTruthPath && query.empty()) {
    response_ = {.fields = {}, .body = api.TruthJson(now)};
  } else if (path == kTruthPath) {
    const auto seconds =
        query.starts_with(kSeconds) ? ParseDecimal(query.substr(kSeconds.size())) : std::nullopt;
    const bool good = seconds && *seconds >= 0 && *seconds <= kSecondsMax;
    response_ = {.status = good ? 200 : 400,
                 .fields = {},
                 .body = good ? api.TruthJsonAfter(SecondsToMicros(*seconds))
                              : "{\"error\":{\"message\":\"seconds: a number is expected\"}}\n"};
  } else {
    return false;
  }
  SendReply();
  return true;
}

// The whole field or parameter; what names its owner in it is nothing to a simulation.
std::string_view SimulateSession::Key() const {
  const http::RequestHead& request = connection_.request();
  for (const provider::CredentialRule& rule : server_.api().credentials()) {
    if (const auto key = request.fields.Find(rule.header); !rule.header.empty() && key) return *key;
    const size_t query = request.target.find('?');
    if (rule.query.empty() || query == std::string_view::npos) continue;
    for (std::string_view rest = std::string_view(request.target).substr(query + 1); !rest.empty();) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      if (pair.starts_with(rule.query) && pair.substr(rule.query.size()).starts_with('=')) return pair;
    }
  }
  return request.fields.Find("authorization").value_or("");
}

std::optional<TokenCount> SimulateSession::Tokens(const nlohmann::json& body) const {
  const SimulateOptions& options = server_.options();
  if (!options.tokens_charged) return std::nullopt;
  std::optional<double> wanted;
  if (const auto field = connection_.request().fields.Find("x-simulate-output-tokens")) {
    wanted = ParseDecimal(*field);
  }
  return CountTokens(body_bytes_, body, wanted, options.output_share);
}

bool SimulateSession::ClientWantsStream(const nlohmann::json& body) const {
  const auto accept = connection_.request().fields.Joined("accept");
  if (accept && ContainsIgnoreCase(*accept, "text/event-stream")) return true;
  if (!body.is_object()) return false;
  const auto stream = body.find("stream");
  return stream != body.end() && *stream == true;
}

void SimulateSession::SendReply() {
  const http::RequestHead& request = connection_.request();
  if (response_.event_stream && request.method != "HEAD") return BeginEvents();
  const auto accepted = request.fields.Joined("accept-encoding");
  if (!server_.options().identity && accepted && net::AcceptsGzip(*accepted)) {
    response_.body = net::Gzip(response_.body);
    response_.fields.Add("content-encoding", "gzip");
    response_.fields.Add("vary", "accept-encoding");
  }
  Complete();
  Send("application/json", http::BodyFraming::kLength, response_.body, true);
}

void SimulateSession::BeginEvents() {
  streaming_ = true;
  events_sent_ = 0;
  response_.fields.Add("cache-control", "no-cache");
  Send("text/event-stream", http::BodyFraming::kUntilClose, {}, false);
  SendEvents();
}

void SimulateSession::Send(std::string_view content_type, http::BodyFraming framing, std::string_view body,
                           bool complete) {
  http::ResponseHead head;
  head.status = response_.status;
  head.reason = http::ReasonPhrase(response_.status);
  head.fields = std::move(response_.fields);
  head.framing = framing;
  head.content_length = body.size();
  head.fields.Add("content-type", content_type);
  if (const Micros skew = server_.options().manner.skew; skew != Micros(0)) {
    const SystemTime wrong = server_.loop().clock().SystemNow() + skew;
    head.fields.Add("date", http::FormatHttpDate(std::chrono::floor<std::chrono::seconds>(wrong)));
  }
  // What a HEAD is told, too.
  if (framing == http::BodyFraming::kLength) head.fields.Add("content-length", std::to_string(body.size()));
  const bool bodiless = body.empty() || connection_.request().method == "HEAD";
  connection_.Send(&head, nullptr, {&body, bodiless ? 0U : 1U}, complete);
}

// Up to the connection's mark at once, else one an interval: a slow reader gets no more.
void SimulateSession::SendEvents() {
  const SimulateOptions& options = server_.options();
  while (streaming_ && connection_.unsent() < kLimits.high_bytes) {
    const bool last = events_sent_ == options.chunks;
    const std::string event =
        last ? (response_.last_event.empty() ? "" : EventText(response_.last_event)) + "data: [DONE]\n\n"
             : fmt::format("id: {}\n{}", events_sent_, EventText(response_.body));
    ++events_sent_;
    if (last) Complete();
    const std::string_view piece = event;
    connection_.Send(nullptr, nullptr, {&piece, 1}, last);
    if (!last && options.chunk_interval > Micros(0)) {
      return server_.loop().timers().Arm(timer_, options.chunk_interval);
    }
  }
}

// Before its last piece is sent, which lets the next request begin.
void SimulateSession::Complete() {
  streaming_ = false;
  if (!std::exchange(counted_, false)) return;
  ++server_.api().stats.completed;
  --server_.api().stats.active;
  server_.api().End(response_, 1, server_.loop().clock().SystemNow());
}

void SimulateSession::Cancel() {
  timer_.Disarm();
  const double events = std::max(1, server_.options().chunks);
  const double share = std::exchange(streaming_, false) ? std::min(1.0, events_sent_ / events) : 1;
  if (!std::exchange(counted_, false)) return;
  ++server_.api().stats.cancelled;
  --server_.api().stats.active;
  server_.api().End(response_, share, server_.loop().clock().SystemNow());
}

void SimulateSession::OnTimer(net::Timer&) { streaming_ ? SendEvents() : SendReply(); }

void SimulateSession::OnDrained() {
  if (!timer_.armed()) SendEvents();
}

// From inside the connection, which must not be destroyed there.
void SimulateSession::OnGone() {
  Cancel();
  server_.loop().Defer(*this);
}

void SimulateSession::OnTurn() { server_.Remove(this); }

}  // namespace apiquota::simulate
