// Responses (RFC 9112 4, 6.3).
#include "http/codec_reader.h"

namespace apiquota::http {

struct ResponseParser::Impl final : MessageReader<false> {
  using MessageReader::MessageReader;

  std::optional<Refusal> OnStartLine(int status, std::string_view reason, std::string_view,
                                     int minor_version) override {
    head.status = status;
    head.reason = reason;
    head.minor_version = minor_version;
    return std::nullopt;
  }

  std::optional<Refusal> OnHead(const HeadFacts& facts) override {
    if (facts.chunked && head.minor_version == 0) {
      return Refusal{502, "transfer_encoding", "Transfer-Encoding on HTTP/1.0"};
    }
    head.content_length = facts.content_length.value_or(0);
    head.keep_alive = facts.KeepsAlive(head.minor_version);
    head.keep_alive_timeout = facts.keep_alive_timeout;
    head.connection_names_fields = facts.names_fields;
    const bool never_a_body = head.status / 100 == 1 || head.status == 204;
    if (never_a_body || head.status == 304 || to_head) {
      head.framing = BodyFraming::kNone;
      // Whoever announces a body here may also send it: the connection's next bytes can't be
      // trusted.
      if (never_a_body && (facts.chunked || head.content_length > 0)) head.keep_alive = false;
    } else if (facts.chunked) {
      head.framing = BodyFraming::kChunked;
    } else if (facts.content_length) {
      head.framing = BodyFraming::kLength;
    } else {
      head.framing = BodyFraming::kUntilClose;
      head.keep_alive = false;
    }
    return std::nullopt;
  }

  Fields& fields() override { return head.fields; }

  ResponseHead head;
  bool to_head = false;
};

ResponseParser::ResponseParser(const CodecLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::Reset(std::string_view request_method) {
  ResponseHead& head = impl_->head;
  head.status = 0;
  head.reason.clear();
  if (head.reason.capacity() > kTextKept) head.reason.shrink_to_fit();
  head.fields.Clear();
  impl_->to_head = request_method == "HEAD";
  impl_->MessageReader::Reset(impl_->to_head);
}

ParseStep ResponseParser::Parse(std::string_view input, std::vector<std::string_view>* body) {
  return impl_->Parse(input, body);
}

bool ResponseParser::ParseEnd() { return impl_->ParseEnd(); }
const ResponseHead& ResponseParser::head() const { return impl_->head; }
bool ResponseParser::got_some() const { return impl_->got_some(); }
size_t ResponseParser::kept_bytes() const {
  return impl_->kept_bytes() + impl_->head.fields.kept_bytes() + impl_->head.reason.capacity();
}

}  // namespace apiquota::http
