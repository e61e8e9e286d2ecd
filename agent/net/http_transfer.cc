#include "net/http_transfer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "http/codec.h"
#include "http/codec_facts.h"
#include "http/codec_scan.h"
#include "net/egress.h"
#include "net/socket_address.h"

namespace apiquota::net {
namespace {

long Millis(Micros duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

bool IsInterim(int status) { return status / 100 == 1; }

std::optional<Endpoint> ToEndpoint(const sockaddr& address) {
  if (address.sa_family != AF_INET && address.sa_family != AF_INET6) return std::nullopt;
  return FromSocketAddress(&address);
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpClientOptions& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      parser_({.head_bytes_max = options.head_bytes_max, .fields_max = options.fields_max}) {}

void HttpTransfer::Prepare(ClientRequest request, HttpClient::Done done) {
  request_ = std::move(request);
  done_ = std::move(done);
  // A new one for each request: libcurl 7.88 leaves a pointer to the last response's last field in a handle,
  // and writes there when the next response begins with a continuation line. Connections belong to the multi
  // handle.
  easy_.reset(curl_easy_init());
  result_ = {};
  head_.clear();
  parser_.Reset(request_.method);
  interims_.Reset();
  trailer_bytes_ = 0;
  socket_error_ = 0;
  length_.reset();
  forbidden_ = connected_ = lost_ = head_whole_ = framing_unseen_ = false;
  SetOptions();
  SetFields();
}

void HttpTransfer::SetOptions() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOBODY, request_.method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can undo

  // Nothing but the request that was asked for, to where it was asked for.
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // not even from the environment
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (!request_.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &OnRequest);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);

  // A directory of certificates would be read for each connection; one file is read once a day.
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  if (!options_.tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.tls.ca_file.c_str());

  // Servers close idle connections after a minute or more: one that has been idle for as long is not tried.
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 45L);

  // QUICK_EXIT: a timeout does not wait for the thread that still looks the name up.
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Millis(options_.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Millis(options_.timeout));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

// libcurl sends what it is given, line ends and all.
void HttpTransfer::SetFields() {
  list_.reset();
  const auto add = [this](const std::string& line) {
    curl_slist* const first = curl_slist_append(list_.get(), line.c_str());
    if (!list_) list_.reset(first);
  };
  bool accept = false;
  for (const auto& [name, value] : request_.fields) {
    if (!http::IsToken(name) || http::FindControl(value, 0) != value.size()) continue;
    accept = accept || EqualsIgnoreCase(name, "accept");
    std::string line = name;
    add(line.append(value.empty() ? ";" : ": ").append(value));
  }
  if (!accept) add("Accept:");  // none of libcurl's own
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, list_.get());
}

bool HttpTransfer::Allowed(const Endpoint& target) const {
  const bool own_port = std::ranges::find(options_.own_ports, target.port) != options_.own_ports.end();
  const std::vector<IpAddress> own = own_port ? LocalAddresses() : std::vector<IpAddress>{};
  const EgressPolicy policy{
      .private_allowed = request_.private_allowed, .own_ports = options_.own_ports, .own_addresses = own};
  return CheckEgress(target, policy) == EgressVerdict::kAllowed;
}

curl_socket_t HttpTransfer::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const bool asked_for = address->family == AF_UNIX && !transfer.request_.unix_socket.empty();
  const auto target = ToEndpoint(address->addr);
  if (!asked_for && (!target || !transfer.Allowed(*target))) {
    transfer.forbidden_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  transfer.socket_error_ = fd < 0 ? errno : 0;
  transfer.v6_ = address->family == AF_INET6;
  return fd;
}

// A kept connection was opened for another request, perhaps one with another permission.
int HttpTransfer::OnRequest(void* self, char* peer, char*, int peer_port, int) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const auto ip = IpAddress::Parse(peer);
  const bool asked_for = !transfer.request_.unix_socket.empty();
  if (!asked_for && (!ip || !transfer.Allowed({.ip = *ip, .port = static_cast<uint16_t>(peer_port)}))) {
    transfer.forbidden_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  // Again, as the kept connection it went onto has ended: the API may have had it.
  transfer.lost_ = transfer.connected_;
  if (transfer.lost_) return CURL_PREREQFUNC_ABORT;
  transfer.connected_ = true;
  if (transfer.request_.on_sent) transfer.request_.on_sent();
  return CURL_PREREQFUNC_OK;
}

// libcurl hands over the lines as they came, and takes what the proxy would not: the proxy's codec judges
// them.
std::optional<http::Refusal> HttpTransfer::OnHeaderLine(std::string_view line) {
  if (head_whole_) return OnTrailer(line);
  const size_t name = http::TokenLength(line);
  framing_unseen_ =
      framing_unseen_ || (http::DecidesFraming(line.substr(0, name)) && !line.substr(name).starts_with(':'));
  head_.append(line);
  std::vector<std::string_view> none;
  const http::ParseStep step = parser_.Parse(head_, &none);
  if (step.refusal || !step.head_complete) return step.refusal;
  return OnHead();
}

std::optional<http::Refusal> HttpTransfer::OnTrailer(std::string_view line) {
  trailer_bytes_ += line.size();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const bool good = trailer_bytes_ <= http::CodecLimits{}.trailer_bytes_max &&
                    http::FindControl(line, 0) == line.size() && Trim(line).size() == line.size();
  if (good) return std::nullopt;
  return http::Refusal{502, "trailer", "a malformed or too long trailer section"};
}

std::optional<http::Refusal> HttpTransfer::OnHead() {
  const http::ResponseHead& head = parser_.head();
  if (head.status == 101) return http::kUnaskedSwitch;
  if (IsInterim(head.status)) {
    const auto refusal = interims_.Take(head_.size());
    head_.clear();
    framing_unseen_ = false;
    parser_.Reset(request_.method);
    return refusal;
  }
  head_whole_ = true;
  result_.head_at = clock_.RunningNow();
  if (!head.keep_alive) curl_easy_setopt(easy_.get(), CURLOPT_FORBID_REUSE, 1L);
  // Where libcurl would read until the connection closes, the body ends as its head says. Inside of chunks or
  // of a coding that can't be told from here: then the head is all there is.
  if (framing_unseen_ && head.framing != http::BodyFraming::kNone) {
    const bool countable =
        head.framing == http::BodyFraming::kLength && !head.fields.Find("content-encoding");
    length_ = countable ? head.content_length : 0;
  }
  return std::nullopt;
}

size_t HttpTransfer::OnHeader(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.result_.refusal = transfer.OnHeaderLine({bytes, size * count});
  if (transfer.result_.refusal || transfer.BodyIsOver()) return 0;
  return size * count;
}

size_t HttpTransfer::OnBody(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  std::string& body = transfer.result_.body;
  size_t room = transfer.options_.body_bytes_max - body.size();
  if (transfer.length_) room = std::min<size_t>(room, *transfer.length_ - body.size());
  const size_t got = size * count;
  body.append(bytes, std::min(got, room));
  return got > room || transfer.BodyIsOver() ? 0 : got;
}

void HttpTransfer::TakeFields() {
  const http::Fields& fields = parser_.head().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    // libcurl has undone it: the body is not what this field says.
    if (EqualsIgnoreCase(fields[i].name, "content-encoding")) continue;
    result_.fields.Add(fields[i].name, fields[i].value);
  }
}

ClientResult HttpTransfer::Finish(CURLcode code) {
  result_.error = Judge(code);
  if (head_whole_) {
    result_.status = parser_.head().status;
    TakeFields();
  }
  // A length that is 0 because the body can't be told from here is no whole body.
  const bool counted = length_ && *length_ == parser_.head().content_length && BodyIsOver();
  result_.body_whole = code == CURLE_OK || (counted && parser_.head().framing == http::BodyFraming::kLength);
  request_ = {};
  list_.reset();
  easy_.reset();
  return std::move(result_);
}

}  // namespace apiquota::net
