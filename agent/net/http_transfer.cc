#include "net/http_transfer.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/text.h"
#include "http/codec.h"
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
    : options_(options), clock_(clock), easy_(curl_easy_init()) {}

void HttpTransfer::Prepare(ClientRequest request, HttpClient::Done done) {
  request_ = std::move(request);
  done_ = std::move(done);
  result_ = {};
  head_bytes_ = fields_ = 0;
  forbidden_ = connected_ = lost_ = head_begun_ = head_whole_ = bad_head_ = body_capped_ = false;
  SetOptions();
  SetFields();
}

void HttpTransfer::SetOptions() {
  CURL* const easy = easy_.get();
  curl_easy_reset(easy);
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
    curl_slist* const longer = curl_slist_append(list_.get(), line.c_str());
    if (longer == nullptr) return;
    static_cast<void>(list_.release());
    list_.reset(longer);
  };
  bool accept = false;
  for (const auto& [name, value] : request_.fields) {
    if (!http::IsToken(name) || http::FindControl(value, 0) != value.size()) continue;
    accept = accept || EqualsIgnoreCase(name, "accept");
    add(value.empty() ? name + ";" : name + ": " + value);
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
  const auto target = ToEndpoint(address->addr);
  if (!target || !transfer.Allowed(*target)) {
    transfer.forbidden_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A kept connection was opened for another request, perhaps one with another permission.
int HttpTransfer::OnRequest(void* self, char* peer, char*, int peer_port, int) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const auto ip = IpAddress::Parse(peer);
  if (!ip || !transfer.Allowed({.ip = *ip, .port = static_cast<uint16_t>(peer_port)})) {
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

// What the validator of the proxy's codec refuses, libcurl passes on: continuation lines, control bytes.
bool HttpTransfer::OnHeaderLine(std::string_view line) {
  head_bytes_ += line.size();
  if (line.ends_with("\n")) line.remove_suffix(1);
  if (line.ends_with("\r")) line.remove_suffix(1);
  const bool folded = line.starts_with(' ') || line.starts_with('\t');
  if (head_bytes_ > options_.head_bytes_max || folded || http::FindControl(line, 0) != line.size())
    return false;
  if (head_whole_) return true;  // trailers
  if (!head_begun_ || (line.starts_with("HTTP/") && fields_ == 0)) {
    head_begun_ = true;
    return line.starts_with("HTTP/");
  }
  if (!line.empty()) return ++fields_ <= options_.fields_max;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  fields_ = 0;
  if (IsInterim(static_cast<int>(status))) return true;
  head_whole_ = true;
  result_.head_at = clock_.SystemNow();
  return true;
}

size_t HttpTransfer::OnHeader(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.OnHeaderLine({bytes, size * count})) return size * count;
  transfer.bad_head_ = true;
  return 0;
}

size_t HttpTransfer::OnBody(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const size_t room = transfer.options_.body_bytes_max - transfer.result_.body.size();
  const size_t got = size * count;
  transfer.result_.body.append(bytes, std::min(got, room));
  transfer.body_capped_ = got > room;
  return transfer.body_capped_ ? 0 : got;
}

ClientError HttpTransfer::TimedOutIn() const {
  if (connected_) return head_whole_ ? ClientError::kIdleTimeout : ClientError::kFirstByteTimeout;
  curl_off_t named = 0;
  curl_off_t opened = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NAMELOOKUP_TIME_T, &named);
  curl_easy_getinfo(easy_.get(), CURLINFO_CONNECT_TIME_T, &opened);
  if (opened > 0) return ClientError::kTlsTimeout;
  return named > 0 ? ClientError::kConnectTimeout : ClientError::kDnsTimeout;
}

std::optional<ClientError> HttpTransfer::Judge(CURLcode code) const {
  if (bad_head_) return ClientError::kBadResponse;
  switch (code) {
    case CURLE_OK:
      return head_whole_ ? std::nullopt : std::optional(ClientError::kBadResponse);
    case CURLE_COULDNT_RESOLVE_HOST:
      return ClientError::kDns;
    case CURLE_COULDNT_CONNECT:
      return forbidden_ ? ClientError::kForbidden : ClientError::kRefused;
    case CURLE_ABORTED_BY_CALLBACK:
      if (lost_) return ClientError::kClosedEarly;
      return forbidden_ ? ClientError::kForbidden : ClientError::kRefused;
    case CURLE_OPERATION_TIMEDOUT:
      return TimedOutIn();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return ClientError::kCertificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return ClientError::kHandshake;
    case CURLE_WRITE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      // The head was read whole; only the body is not.
      return head_whole_ ? std::nullopt : std::optional(ClientError::kBadResponse);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return head_whole_ ? ClientError::kTruncated : ClientError::kClosedEarly;
    default:
      return connected_ ? ClientError::kBadResponse : ClientError::kRefused;
  }
}

void HttpTransfer::TakeFields() {
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(easy_.get(), CURLH_HEADER, -1, header)) != nullptr) {
    // libcurl has undone it: the body is not what this field says.
    if (EqualsIgnoreCase(header->name, "content-encoding")) continue;
    result_.fields.Add(header->name, header->value);
  }
}

ClientResult HttpTransfer::Finish(CURLcode code) {
  result_.error = Judge(code);
  if (head_whole_) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    result_.status = static_cast<int>(status);
    TakeFields();
  }
  result_.body_whole = code == CURLE_OK;
  request_ = {};
  list_.reset();
  curl_easy_reset(easy_.get());
  return std::move(result_);
}

}  // namespace apiquota::net
