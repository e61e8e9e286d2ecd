#include "http/forward.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/codec_facts.h"
#include "http/date.h"
#include "http/links.h"

namespace apiquota::http {
namespace {

enum class Way : uint8_t { kUpstream, kClient };

bool IsAnyOf(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [name](std::string_view n) { return EqualsIgnoreCase(name, n); });
}

// Fields that concern one connection only, or that this side writes itself (RFC
// 9110 7.6.1, 10.1.1, 11.7).
bool IsOurs(std::string_view name, Way way) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoreCase(name, "te");
    case 4:
      return way == Way::kUpstream && EqualsIgnoreCase(name, "host");
    case 6:
      return way == Way::kUpstream && EqualsIgnoreCase(name, "expect");
    case 7:
      return EqualsIgnoreCase(name, "trailer") || EqualsIgnoreCase(name, "upgrade");
    case 10:
      return EqualsIgnoreCase(name, "connection") || EqualsIgnoreCase(name, "keep-alive");
    case 14:
      return EqualsIgnoreCase(name, "content-length") || EqualsIgnoreCase(name, "http2-settings");
    case 16:
      return EqualsIgnoreCase(name, "proxy-connection");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    case 18:
      return EqualsIgnoreCase(name, "proxy-authenticate");
    case 19:
      return EqualsIgnoreCase(name, "proxy-authorization");
    default:
      return false;
  }
}

// What Connection can't name away: fields meant for all recipients (RFC 9110 7.6.1), credentials
// first.
constexpr std::string_view kProtected[] = {
    "authorization",    "x-api-key", "api-key",       "x-goog-api-key", "cookie",      "content-type",
    "content-encoding", "via",       "cache-control", "date",           "retry-after", "set-cookie"};

// The options of every Connection field. The codec refuses heads with more than there is room for.
class ConnectionOptions {
 public:
  template <class Head>
  explicit ConnectionOptions(const Head& head) {
    if (!head.connection_names_fields) return;
    const Fields& fields = head.fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      const FieldView field = fields[i];
      if (field.name.size() != 10 || !EqualsIgnoreCase(field.name, "connection")) continue;
      ForEachElement(field.value, [this](std::string_view option) {
        if (options_.size() < kConnectionOptionsMax && !EqualsIgnoreCase(option, "close") &&
            !EqualsIgnoreCase(option, "keep-alive")) {
          options_.push_back(option);
        }
      });
    }
  }

  bool NameAway(std::string_view name) const {
    return !options_.empty() && IsAnyOf(name, options_) && !IsAnyOf(name, kProtected);
  }

 private:
  std::vector<std::string_view> options_;  // nearly always empty
};

bool IsReplaced(std::string_view name, const UpstreamRequest& request) {
  return std::ranges::any_of(request.replace,
                             [name](const FieldView& f) { return SpelledAlike(name, f.name); }) ||
         std::ranges::any_of(request.drop, [name](std::string_view n) { return SpelledAlike(name, n); });
}

// The boundary: nothing that could end a line or start a field passes, wherever it came from. (Lines
// that the codec has judged pass as they are: FieldCopier.)
void AppendField(std::string_view name, std::string_view value, std::string* out) {
  if (!IsToken(name) || !IsFieldValue(value)) return;
  out->append(name).append(": ").append(value).append("\r\n");
}

// Copies fields of one head; neighbours that need no change leave in one piece.
class FieldCopier {
 public:
  FieldCopier(const Fields& fields, std::string* out) : fields_(fields), out_(out) {}
  ~FieldCopier() { out_->append(run_); }
  FieldCopier(const FieldCopier&) = delete;
  FieldCopier& operator=(const FieldCopier&) = delete;

  void Copy(size_t i) {
    const std::string_view line = fields_.Line(i);
    if (!line.empty() && line.data() == run_.data() + run_.size()) {
      run_ = {run_.data(), run_.size() + line.size()};
      return;
    }
    out_->append(run_);
    run_ = line;
    if (line.empty()) AppendField(fields_[i].name, fields_[i].value, out_);
  }

  void CopyMapped(size_t i, LinkField kind, const LinkMapping& links) {
    const FieldView field = fields_[i];
    const auto mapped =
        kind == LinkField::kLink ? MapLinks(field.value, links) : MapAddress(field.value, links);
    if (ShowsWithheld(mapped ? *mapped : field.value, links)) return;
    if (!mapped) return Copy(i);
    out_->append(std::exchange(run_, {}));
    AppendField(field.name, *mapped, out_);
  }

 private:
  const Fields& fields_;
  std::string* out_;
  std::string_view run_;
};

void AppendNumber(uint64_t number, std::string* out) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out->append(digits, end);
}

void AppendContentLength(uint64_t length, std::string* out) {
  out->append("Content-Length: ");
  AppendNumber(length, out);
  out->append("\r\n");
}

void AppendTargetBytes(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto legal = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
  while (!text.empty()) {
    const auto good = static_cast<size_t>(std::ranges::find_if_not(text, legal) - text.begin());
    out->append(text.substr(0, good));
    if (good == text.size()) return;
    const auto byte = static_cast<unsigned char>(text[good]);
    out->append({'%', kHex[byte >> 4], kHex[byte & 15]});
    text.remove_prefix(good + 1);
  }
}

void AppendRequestLine(const UpstreamRequest& request, std::string* out) {
  out->append(IsToken(request.head->method) ? std::string_view(request.head->method) : "GET");
  out->push_back(' ');
  const bool rootless = request.base->path.empty() && !request.path.starts_with('/');
  if (rootless) out->push_back('/');
  AppendTargetBytes(request.base->path, out);
  AppendTargetBytes(request.path, out);
  out->append(" HTTP/1.1\r\n");
}

void AppendStatusLine(int status, std::string_view reason, std::string* out) {
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(status), out);
  out->append(" ").append(IsFieldValue(reason) ? reason : ReasonPhrase(status)).append("\r\n");
}

void AppendUpgrade(std::string_view protocol, std::string* out) {
  if (protocol.empty()) return;
  out->append("Connection: Upgrade\r\n");
  AppendField("Upgrade", protocol, out);
}

// The length a bodiless response states of what GET would have sent (RFC 9110 8.6).
void AppendStatedLength(const ResponseHead& head, std::string* out) {
  if (head.fields.Find("content-length")) AppendContentLength(head.content_length, out);
}

ClientFraming FramingFor(const ClientResponse& response) {
  const bool http11 = response.client_minor_version == 1;
  const BodyFraming framing = response.head_request ? BodyFraming::kNone : response.head->framing;
  const bool unmeasured = framing == BodyFraming::kChunked || framing == BodyFraming::kUntilClose;
  return {.chunked = unmeasured && http11,
          .close_after = !response.keep_alive || (unmeasured && !http11),
          .until_close = unmeasured && !http11};
}

}  // namespace

void AppendUpstreamHead(const UpstreamRequest& request, std::string* out) {
  const RequestHead& head = *request.head;
  AppendRequestLine(request, out);
  AppendField("Host", request.base->authority, out);
  const ConnectionOptions options(head);
  const bool replaces = !request.replace.empty() || !request.drop.empty();
  {
    FieldCopier copier(head.fields, out);
    for (size_t i = 0; i < head.fields.size(); ++i) {
      const std::string_view name = head.fields[i].name;
      if (IsOurs(name, Way::kUpstream) || options.NameAway(name)) continue;
      if (!replaces || !IsReplaced(name, request)) copier.Copy(i);
    }
  }
  for (const FieldView& field : request.replace) AppendField(field.name, field.value, out);
  out->append(head.minor_version == 1 ? "Via: 1.1 " : "Via: 1.0 ").append(request.pseudonym).append("\r\n");
  AppendUpgrade(request.upgrade, out);
  if (head.framing == BodyFraming::kLength) AppendContentLength(head.content_length, out);
  if (head.framing == BodyFraming::kChunked) out->append("Transfer-Encoding: chunked\r\n");
  out->append("\r\n");
}

std::string ViaPseudonym(uint32_t random) {
  char digits[8];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, random, 16);
  const std::string_view hex(digits, static_cast<size_t>(end - digits));
  return std::string("apiquota-").append(sizeof digits - hex.size(), '0').append(hex);
}

bool IsLoop(const Fields& fields, std::string_view pseudonym) {
  bool found = false;
  for (size_t i = 0; i < fields.size() && !found; ++i) {
    if (!EqualsIgnoreCase(fields[i].name, "via")) continue;
    // received-protocol RWS received-by [ RWS comment ]
    ForEachElement(fields[i].value, [&found, pseudonym](std::string_view member) {
      const size_t space = member.find_first_of(" \t");
      if (space == std::string_view::npos) return;
      const std::string_view rest = Trim(member.substr(space));
      found = found || EqualsIgnoreCase(rest.substr(0, rest.find_first_of(" \t")), pseudonym);
    });
  }
  return found;
}

ClientFraming AppendClientHead(const ClientResponse& response, std::string* out) {
  const ResponseHead& head = *response.head;
  const bool interim = head.status / 100 == 1;
  const bool bodiless = interim || head.status == 204;
  ClientFraming framing = FramingFor(response);
  framing.bodiless = bodiless || response.head_request || head.status == 304;
  AppendStatusLine(head.status, head.reason, out);
  const ConnectionOptions options(head);
  bool dated = interim || !response.add_date;
  {
    FieldCopier copier(head.fields, out);
    for (size_t i = 0; i < head.fields.size(); ++i) {
      const std::string_view name = head.fields[i].name;
      if (IsOurs(name, Way::kClient) || options.NameAway(name)) continue;
      dated = dated || EqualsIgnoreCase(name, "date");
      const LinkField link =
          response.links != nullptr ? LinkFieldOf(name, *response.links) : LinkField::kNone;
      if (link == LinkField::kNone) {
        if (response.links == nullptr || !ShowsWithheld(head.fields[i].value, *response.links))
          copier.Copy(i);
      } else {
        copier.CopyMapped(i, link, *response.links);
      }
    }
  }
  if (!dated) AppendField("Date", FormatHttpDate(response.now), out);
  if (framing.chunked) {
    out->append("Transfer-Encoding: chunked\r\n");
  } else if (!bodiless && framing.bodiless) {
    AppendStatedLength(head, out);
  } else if (head.framing == BodyFraming::kLength) {
    AppendContentLength(head.content_length, out);
  }
  AppendUpgrade(response.upgrade, out);
  if (!interim && framing.close_after) {
    out->append("Connection: close\r\n");
  } else if (!interim && response.client_minor_version == 0) {
    out->append("Connection: keep-alive\r\n");
  }
  out->append("\r\n");
  return framing;
}

}  // namespace apiquota::http
