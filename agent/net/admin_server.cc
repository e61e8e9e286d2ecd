#include "net/admin_server.h"

#include <civetweb.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <string_view>

#include "base/log.h"
#include "base/text.h"
#include "http/date.h"
#include "http/forward.h"
#include "net/admin_door.h"
#include "net/admin_fields.h"
#include "net/basic_auth.h"
#include "net/fingerprint.h"
#include "net/gzip.h"
#include "net/host_names.h"
#include "net/listen_waker.h"

namespace apiquota::net {
namespace {

constexpr size_t kGzipBytesMin = 1024;
constexpr int kNiceness = 5;  // above the rest: a third of the weight of threads that carry traffic

// All values of a field; civetweb's own look-up hides duplicates.
std::vector<std::string_view> FieldValues(const mg_request_info& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (int i = 0; i < request.num_headers; ++i) {
    const mg_header& header = request.http_headers[i];
    if (EqualsIgnoreCase(header.name, name)) values.emplace_back(header.value);
  }
  return values;
}

// Whether a request that changes something comes from a page that is not ours.
bool IsForeign(const mg_request_info& request, std::string_view host) {
  for (const std::string_view site : FieldValues(request, "sec-fetch-site")) {
    if (site != "same-origin" && site != "none") return true;
  }
  return std::ranges::any_of(FieldValues(request, "origin"), [&](std::string_view origin) {
    const size_t scheme_end = origin.find("://");
    return scheme_end == std::string_view::npos || !EqualsIgnoreCase(origin.substr(scheme_end + 3), host);
  });
}

bool HasBody(const mg_request_info& request) {
  return request.content_length > 0 || !FieldValues(request, "transfer-encoding").empty();
}

AdminResponse Refusal(int status, std::string_view detail) {
  return {status, "text/plain; charset=utf-8", fmt::format("{}\n", detail)};
}

// A scrape of a full ledger is worth tens of milliseconds of a core; traffic must not wait for them.
void* GiveWay(const mg_context*, int thread_type) {
  constexpr int kWorker = 1;
  const int now = getpriority(PRIO_PROCESS, 0);  // this thread's
  if (thread_type == kWorker) setpriority(PRIO_PROCESS, 0, now + kNiceness);
  return nullptr;
}

uint16_t BoundPort(const mg_context* context) {
  mg_server_port port{};
  mg_get_server_ports(context, 1, &port);
  return static_cast<uint16_t>(port.port);
}

}  // namespace

struct AdminServer::Impl {
  Impl(const AdminOptions& options, std::vector<AdminRoute> routes_in, const Clock& clock_in)
      : hosts(options.listen, options.hosts),
        auth(options.web.users),
        fields(AdminFields(options.web.headers)),
        token(RandomSalt()),
        routes(std::move(routes_in)),
        clock(clock_in) {
    mg_init_library(0);
  }
  ~Impl() {
    door.reset();
    if (context != nullptr) {
      const ListenWaker waker(BoundPort(context));  // or mg_stop waits for its accept loop's next look
      mg_stop(context);
    }
    mg_exit_library();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  struct Answer {
    AdminResponse response;
    std::string allow;            // of a 405
    bool keep_connection = true;  // false: what follows on the connection can't be trusted
    bool challenge = false;       // of a 401
  };

  Answer Judge(const mg_request_info& request) const;
  Answer Dispatch(const mg_request_info& request, std::string_view host) const;
  void Write(mg_connection* connection, Answer answer) const;

  static int OnRequest(mg_connection* connection);
  static int OnError(mg_connection* connection, int status, const char* message);
  static int OnLog(const mg_connection*, const char* message);

  const HostNames hosts;
  mutable BasicAuth auth;    // thread-safe
  const std::string fields;  // of every answer
  const Secret token;        // what the door shows
  const std::vector<AdminRoute> routes;
  const Clock& clock;
  mg_context* context = nullptr;
  std::unique_ptr<AdminDoor> door;
};

AdminServer::Impl::Answer AdminServer::Impl::Judge(const mg_request_info& request) const {
  const std::vector<std::string_view> shown = FieldValues(request, kDoorField);
  if (shown.size() != 1 || !token.Equals(shown[0]))
    return {Refusal(403, "the admin side has a listener of its own"), "", false};
  const std::vector<std::string_view> host = FieldValues(request, "host");
  const bool old_client = host.empty() && request.http_version == std::string_view("1.0");
  if (host.size() != 1 && !old_client) return {Refusal(400, "expected one Host field"), "", false};
  if (!old_client && !hosts.Allow(host[0])) {
    return {Refusal(403, "this Host is not one of the agent's; see admin.hosts in its configuration"), "",
            false};
  }
  if (request.local_uri_raw == nullptr) return {Refusal(400, "expected a path"), "", false};
  const std::vector<std::string_view> credentials = FieldValues(request, "authorization");
  if (!auth.Authorized(credentials.size() == 1 ? credentials[0] : "")) {
    Answer refused{Refusal(401, "a name and a password of the web configuration are needed"), "", true};
    refused.challenge = true;
    return refused;
  }
  Answer answer = Dispatch(request, old_client ? "" : host[0]);
  answer.keep_connection = !HasBody(request);
  return answer;
}

AdminServer::Impl::Answer AdminServer::Impl::Dispatch(const mg_request_info& request,
                                                      std::string_view host) const {
  const std::string_view path = request.local_uri_raw;
  const std::string_view sent_method = request.request_method;
  const std::string_view method = sent_method == "HEAD" ? "GET" : sent_method;
  std::string allow;
  for (const AdminRoute& route : routes) {
    if (route.path != path) continue;
    if (route.method != method) {
      allow += (allow.empty() ? "" : ", ") + std::string(route.method == "GET" ? "GET, HEAD" : route.method);
      continue;
    }
    if (method != "GET" && IsForeign(request, host))
      return {Refusal(403, "another site's page asked for this"), "", true};
    const AdminRequest asked{std::string(path), request.query_string == nullptr ? "" : request.query_string};
    return {route.handler(asked), "", true};
  }
  if (allow.empty()) return {Refusal(404, "no such page"), "", true};
  return {Refusal(405, "this page takes other methods: " + allow), allow, true};
}

void AdminServer::Impl::Write(mg_connection* connection, Answer answer) const {
  const mg_request_info* request = mg_get_request_info(connection);
  AdminResponse& response = answer.response;
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: {}\r\n", response.status,
                                 http::ReasonPhrase(response.status), http::FormatHttpDate(clock.SystemNow()),
                                 response.content_type);
  head += fields;
  if (response.body.size() >= kGzipBytesMin) {
    head += "Vary: Accept-Encoding\r\n";
    const std::vector<std::string_view> accepted = FieldValues(*request, "accept-encoding");
    if (std::ranges::any_of(accepted, AcceptsGzip)) {
      response.body = Gzip(response.body);
      head += "Content-Encoding: gzip\r\n";
    }
  }
  if (answer.challenge) head += "WWW-Authenticate: Basic realm=\"apiquota\", charset=\"UTF-8\"\r\n";
  if (!answer.allow.empty()) head += fmt::format("Allow: {}\r\n", answer.allow);
  if (!answer.keep_connection) {
    mg_disable_connection_keep_alive(connection);
    head += "Connection: close\r\n";
  }
  head += fmt::format("Content-Length: {}\r\n\r\n", response.body.size());
  const bool head_only =
      request->request_method != nullptr && request->request_method == std::string_view("HEAD");
  mg_write(connection, head.data(), head.size());
  if (!head_only) mg_write(connection, response.body.data(), response.body.size());
}

// The wall between C and C++: nothing thrown passes it.
int AdminServer::Impl::OnRequest(mg_connection* connection) {
  const auto* self = static_cast<const Impl*>(mg_get_user_data(mg_get_context(connection)));
  Answer answer;
  try {
    answer = self->Judge(*mg_get_request_info(connection));
  } catch (const std::exception& exception) {
    Log(LogLevel::kError, "admin_handler_failed", {{"error", exception.what()}});
    answer = {Refusal(500, "the agent could not make this page; its log says why"), "", true};
  }
  const int status = answer.response.status;
  self->Write(connection, std::move(answer));
  return status;
}

// civetweb's own refusals: of requests it can't read.
int AdminServer::Impl::OnError(mg_connection* connection, int status, const char*) {
  const auto* self = static_cast<const Impl*>(mg_get_user_data(mg_get_context(connection)));
  self->Write(connection, {Refusal(status, "the request could not be read"), "", false});
  return 0;
}

int AdminServer::Impl::OnLog(const mg_connection*, const char* message) {
  Log(LogLevel::kDebug, "admin_server", {{"message", message}});
  return 1;
}

Result<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminOptions& options,
                                                        std::vector<AdminRoute> routes, const Clock& clock) {
  auto impl = std::make_unique<Impl>(options, std::move(routes), clock);
  const std::string threads = std::to_string(options.threads);
  const char* settings[] = {"listening_ports",
                            "127.0.0.1:0",
                            "num_threads",
                            threads.c_str(),
                            "decode_url",
                            "no",  // the default decodes %2f and cuts at %00 before handlers see it
                            "request_timeout_ms",
                            "1000",  // the door sends a request in one piece
                            "max_request_size",
                            "32768",
                            "connection_queue",
                            "64",
                            "tcp_nodelay",
                            "1",
                            "enable_directory_listing",
                            "no",
                            nullptr};
  mg_callbacks callbacks{};
  callbacks.init_thread = &GiveWay;
  callbacks.begin_request = &Impl::OnRequest;
  callbacks.http_error = &Impl::OnError;
  callbacks.log_message = &Impl::OnLog;
  impl->context = mg_start(&callbacks, impl.get(), settings);
  if (impl->context == nullptr) return Fail("the admin side could not start: no port of 127.0.0.1 is free");
  auto door = AdminDoor::Open(options,
                              {.port = BoundPort(impl->context),
                               .token = std::string(impl->token.Reveal()),
                               .requests_max = static_cast<size_t>(options.threads)},
                              impl->auth, clock);
  if (!door) return Fail("cannot listen for the admin side: " + door.error().message);
  impl->door = std::move(*door);
  impl->door->Start();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

uint16_t AdminServer::port() const { return impl_->door->port(); }
uint16_t AdminServer::inner_port() const { return BoundPort(impl_->context); }

}  // namespace apiquota::net
