// Feeds bytes to a parser in pieces of any size, as a connection would, and writes down what came
// out as one text.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"

namespace apiquota::http {

struct Parsed {
  size_t complete = 0;
  std::optional<Refusal> refusal;
  std::string text;     // heads and bodies, message by message
  size_t consumed = 0;  // of the whole input

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

inline void Describe(const Fields& fields, BodyFraming framing, uint64_t length, bool keep_alive,
                     std::string* text) {
  for (size_t i = 0; i < fields.size(); ++i) {
    text->append(fields[i].name).append("=").append(fields[i].value).append("\n");
  }
  text->append("framing=").append(std::to_string(static_cast<int>(framing)));
  text->append(" length=").append(std::to_string(length));
  text->append(keep_alive ? " keep-alive\n" : " close\n");
}

inline std::string Describe(const RequestHead& head) {
  std::string text = head.method + " " + head.target + " 1." + std::to_string(head.minor_version) + "\n";
  Describe(head.fields, head.framing, head.content_length, head.keep_alive, &text);
  return text + "host=" + std::string(head.host) + (head.expect_continue ? " expect\n" : "\n");
}

inline std::string Describe(const ResponseHead& head) {
  std::string text =
      std::to_string(head.status) + " " + head.reason + " 1." + std::to_string(head.minor_version) + "\n";
  Describe(head.fields, head.framing, head.content_length, head.keep_alive, &text);
  return text;
}

// `cuts` are the sizes of the pieces, repeated; {0} feeds all at once.
template <class Parser, class ResetParser>
Parsed Feed(Parser& parser, std::string_view input, const std::vector<size_t>& cuts,
            const ResetParser& reset) {
  Parsed parsed;
  std::vector<std::string_view> body;
  size_t arrived = 0;
  reset();
  for (size_t cut = 0; arrived < input.size() && !parsed.refusal; ++cut) {
    const size_t piece = cuts[cut % cuts.size()];
    arrived = piece == 0 ? input.size() : std::min(input.size(), arrived + piece);
    for (;;) {
      body.clear();
      const std::string_view rest = input.substr(parsed.consumed, arrived - parsed.consumed);
      const ParseStep step = parser.Parse(rest, &body);
      parsed.consumed += step.consumed;
      if (step.head_complete) parsed.text += Describe(parser.head()) + "body:";
      for (const std::string_view slice : body) parsed.text += slice;
      parsed.refusal = step.refusal;
      if (!step.complete) break;
      ++parsed.complete;
      parsed.text += "\n--\n";
      reset();
      if (parsed.consumed == arrived) break;
    }
  }
  return parsed;
}

inline Parsed FeedRequests(std::string_view input, const std::vector<size_t>& cuts,
                           const CodecLimits& limits = {}) {
  RequestParser parser(limits);
  return Feed(parser, input, cuts, [&parser] { parser.Reset(); });
}

inline Parsed FeedResponses(std::string_view input, std::string_view method, const std::vector<size_t>& cuts,
                            const CodecLimits& limits = {}) {
  ResponseParser parser(limits);
  return Feed(parser, input, cuts, [&parser, method] { parser.Reset(method); });
}

}  // namespace apiquota::http
