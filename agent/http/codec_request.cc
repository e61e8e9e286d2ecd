// Requests (RFC 9112 3, 6; RFC 9110 7.2, 7.6.2, 10.1.1).
#include "http/codec_reader.h"

namespace apiquota::http {

struct RequestParser::Impl final : MessageReader<true> {
  using MessageReader::MessageReader;

  std::optional<Refusal> OnStartLine(int, std::string_view method, std::string_view target,
                                     int minor_version) override {
    head.method = method;
    head.target = target;
    head.minor_version = minor_version;
    return std::nullopt;
  }

  std::optional<Refusal> OnHead(const HeadFacts& facts) override {
    if (facts.hosts > 1) return Refusal{400, "host", "more than one Host"};
    if (facts.hosts == 0 && head.minor_version == 1) return Refusal{400, "host", "no Host"};
    if (facts.hosts == 1) head.host = head.fields[facts.host_index].value;
    if (facts.hosts == 1 && !IsHost(head.host)) return Refusal{400, "host", "Host is not a host"};
    if (facts.chunked && head.minor_version == 0) {
      return Refusal{400, "transfer_encoding", "Transfer-Encoding on HTTP/1.0"};
    }
    // RFC 9110 7.6.2: each intermediary counts it down, and the last one answers.
    if (head.method == "OPTIONS" && head.fields.Find("Max-Forwards")) {
      return Refusal{501, "method", "OPTIONS with Max-Forwards: it is not counted down here"};
    }
    if (facts.chunked) head.framing = BodyFraming::kChunked;
    if (facts.content_length) {
      head.framing = BodyFraming::kLength;
      head.content_length = *facts.content_length;
    }
    head.keep_alive = facts.KeepsAlive(head.minor_version);
    head.connection_names_fields = facts.names_fields;
    // An HTTP/1.0 client can't be told to go on.
    head.expect_continue = facts.expect_continue && head.minor_version == 1;
    return std::nullopt;
  }

  Fields& fields() override { return head.fields; }

  RequestHead head;
};

RequestParser::RequestParser(const CodecLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

void RequestParser::Reset() {
  RequestHead& head = impl_->head;
  head.method.clear();
  head.target.clear();
  if (head.target.capacity() > kTextKept) head.target.shrink_to_fit();
  head.fields.Clear();
  head.host = {};
  head.framing = BodyFraming::kNone;
  head.content_length = 0;
  impl_->MessageReader::Reset(false);
}

ParseStep RequestParser::Parse(std::string_view input, std::vector<std::string_view>* body) {
  return impl_->Parse(input, body);
}

const RequestHead& RequestParser::head() const { return impl_->head; }
bool RequestParser::got_some() const { return impl_->got_some(); }
size_t RequestParser::kept_bytes() const {
  const RequestHead& head = impl_->head;
  return impl_->kept_bytes() + head.fields.kept_bytes() + head.target.capacity() + head.method.capacity();
}

}  // namespace apiquota::http
