#include "simulate/simulate_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "http/date.h"
#include "http/forward.h"
#include "net/gzip.h"

namespace apiquota::simulate {
namespace {

constexpr size_t kBodyBytesMax = 256 * 1024;    // of a request: enough to look for "stream": true
constexpr size_t kUnsentBytesMax = 256 * 1024;  // of a stream: a slow reader gets no more events
constexpr Micros kIdleTimeout = std::chrono::seconds(60);
constexpr std::string_view kStatsPath = "/_simulate/stats";

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

SimulateSession::SimulateSession(SimulateServer& server, net::Stream stream)
    : server_(server), stream_(std::move(stream)), timer_(*this), parser_(http::CodecLimits{}) {
  stream_.SetHandler(this);
  stream_.Resume();
  server_.loop().timers().Arm(timer_, kIdleTimeout);
}

SimulateSession::~SimulateSession() {
  if (!counted_) return;
  ++server_.api().stats.cancelled;
  --server_.api().stats.active;
}

void SimulateSession::OnBytes() {
  // While a request is being answered the next ones wait in the input.
  while (state_ == State::kReading && !stream_.input().empty() && Parse()) {
  }
  if (state_ == State::kClosing) stream_.Consume(stream_.input().size());
}

bool SimulateSession::Parse() {
  std::vector<std::string_view> slices;
  const http::ParseStep step = parser_.Parse(stream_.input(), &slices);
  for (const std::string_view slice : slices) {
    body_.append(slice.substr(0, kBodyBytesMax - std::min(kBodyBytesMax, body_.size())));
  }
  stream_.Consume(step.consumed);
  if (step.refusal) {
    Refuse(*step.refusal);
    return false;
  }
  if (step.complete) {
    Answer();
    return true;
  }
  if (step.head_complete && parser_.head().expect_continue && !continued_) {
    continued_ = true;
    stream_.Write({"HTTP/1.1 100 Continue\r\n\r\n"});
  }
  return step.consumed > 0;
}

void SimulateSession::Answer() {
  SimulatedApi& api = server_.api();
  const SystemTime now = server_.loop().clock().SystemNow();
  const std::string_view path = PathOf(parser_.head().target);
  state_ = State::kLatency;
  if (path == kStatsPath) {
    response_.body = api.StatsJson(now);
    return SendReply();
  }
  counted_ = true;
  ++api.stats.active;
  response_ = api.Answer(path, ClientWantsStream(), now);
  if (server_.options().latency == Micros(0)) return SendReply();
  server_.loop().timers().Arm(timer_, server_.options().latency);
}

bool SimulateSession::ClientWantsStream() const {
  const auto accept = parser_.head().fields.Joined("accept");
  if (accept && ContainsIgnoreCase(*accept, "text/event-stream")) return true;
  const nlohmann::json body = nlohmann::json::parse(body_, nullptr, false);
  if (!body.is_object()) return false;
  const auto stream = body.find("stream");
  return stream != body.end() && *stream == true;
}

std::string SimulateSession::Head(std::string_view content_type, std::string_view framing) const {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\ndate: {}\r\ncontent-type: {}\r\n{}\r\n", response_.status,
                  http::ReasonPhrase(response_.status),
                  http::FormatHttpDate(server_.loop().clock().SystemNow()), content_type, framing);
  for (size_t i = 0; i < response_.fields.size(); ++i) {
    const http::FieldView field = response_.fields[i];
    head += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  if (!parser_.head().keep_alive) head += "connection: close\r\n";
  return head + "\r\n";
}

void SimulateSession::SendReply() {
  const http::RequestHead& request = parser_.head();
  const bool head_only = request.method == "HEAD";
  if (response_.event_stream && !head_only) {
    state_ = State::kStreaming;
    events_sent_ = 0;
    // HTTP/1.0 knows no chunks: there the end of the connection ends the stream.
    const std::string_view framing = request.minor_version == 0
                                         ? "cache-control: no-cache"
                                         : "cache-control: no-cache\r\ntransfer-encoding: chunked";
    stream_.Write({Head("text/event-stream", framing)});
    return SendEvents();
  }
  std::string framing = "content-length: ";
  const auto accepted = request.fields.Joined("accept-encoding");
  if (!server_.options().identity && accepted && net::AcceptsGzip(*accepted)) {
    response_.body = net::Gzip(response_.body);
    framing = "content-encoding: gzip\r\nvary: accept-encoding\r\ncontent-length: ";
  }
  const std::string head = Head("application/json", framing + std::to_string(response_.body.size()));
  stream_.Write({head, head_only ? std::string_view() : std::string_view(response_.body)});
  Finish();
}

void SimulateSession::SendEvents() {
  const SimulateOptions& options = server_.options();
  const bool chunked = parser_.head().minor_version != 0;
  while (events_sent_ <= options.chunks && stream_.unsent() < kUnsentBytesMax) {
    const bool last = events_sent_ == options.chunks;
    std::string event = fmt::format("id: {}\n{}", events_sent_, EventText(response_.body));
    if (last)
      event = (response_.last_event.empty() ? "" : EventText(response_.last_event)) + "data: [DONE]\n\n";
    ++events_sent_;
    if (chunked) {
      stream_.Write({fmt::format("{:x}\r\n", event.size()), event, last ? "\r\n0\r\n\r\n" : "\r\n"});
    } else {
      stream_.Write({event});
    }
    if (last) return Finish();
    if (options.chunk_interval > Micros(0)) break;
  }
  server_.loop().timers().Arm(timer_, options.chunk_interval);
}

void SimulateSession::Finish() {
  const bool keep_alive =
      parser_.head().keep_alive && !(response_.event_stream && parser_.head().minor_version == 0);
  if (counted_) {
    ++server_.api().stats.completed;
    --server_.api().stats.active;
  }
  counted_ = false;
  state_ = keep_alive ? State::kReading : State::kClosing;
  parser_.Reset();
  body_.clear();
  continued_ = false;
  response_ = {};
  if (!keep_alive) stream_.ShutdownSend();
  server_.loop().timers().Arm(timer_, kIdleTimeout);
}

void SimulateSession::Refuse(const http::Refusal& refusal) {
  state_ = State::kClosing;
  stream_.Write({fmt::format("HTTP/1.1 {} {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                             refusal.status, http::ReasonPhrase(refusal.status))});
  stream_.ShutdownSend();
}

void SimulateSession::OnTimer(net::Timer&) {
  switch (state_) {
    case State::kLatency:
      SendReply();
      break;
    case State::kStreaming:
      SendEvents();
      break;
    case State::kReading:
    case State::kClosing:
      return server_.Remove(this);
  }
  // What waited in the input while this request was answered.
  if (state_ == State::kReading) {
    OnBytes();
    stream_.Resume();
  }
}

void SimulateSession::OnEnd(net::StreamEnd) { server_.Remove(this); }

}  // namespace apiquota::simulate
