// A push parser for one JSON text (RFC 8259) that comes in pieces. It hands its sink only the texts the sink
// asks for and steps over all others sixteen bytes at a time: of a reply's kilobytes, rules want a few
// numbers. A container it does not ask about is judged only for where it ends. Every way of cutting the input
// is judged the same; memory is constant. Strings are not checked to be UTF-8. Not thread-safe; the sink must
// outlive the reader.
//
// The sink:
//   bool OnOpen(bool array)        an object or array begins;     void OnClose()  … ends
//                                  false: nothing in it is wanted, and its end is not told either
//   bool WantsKey()                the text of the key that comes now is wanted
//   void OnKey(Text)               … and here it is; no text: not wanted, or longer than 1 KiB
//   bool WantsScalar()             a string, number, true or false comes (or null): is its text wanted
//   bool OnScalar(Text, bool null) false ends the reading
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/find_byte.h"
#include "provider/json_step_over.h"
#include "provider/json_tokens.h"

namespace apiquota::provider {

namespace json {

constexpr size_t kDepthMax = 64;
constexpr size_t kTextBytesMax = 1024;  // of a wanted key or scalar

}  // namespace json

template <class Sink>
class JsonReader {
 public:
  explicit JsonReader(Sink& sink) : sink_(sink) {}

  void Reset() {
    at_ = At::kValue;
    depth_ = 0;
    arrays_ = 0;
  }
  // After the end or an error it only returns.
  void Write(std::string_view bytes) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at != end) {
      if (at_ < At::kText) {
        at = TakeStructure(at, end);
      } else if (at_ == At::kText) {
        at = TakePunctuation(TakeText(at, end), end);
      } else if (at_ <= At::kStepping) {
        at = TakePunctuation(TakeRest(at, end), end);
      } else {
        return;
      }
    }
  }

  bool done() const { return at_ == At::kDone; }      // whole, or ended by the sink
  bool failed() const { return at_ == At::kFailed; }  // not JSON, nested too deep, a wanted scalar too long

 private:
  enum class At : uint8_t {
    kValue,
    kFirstElement,  // a value, or the end of an empty array
    kFirstKey,      // a key, or the end of an empty object
    kKey,
    kColon,
    kAfterValue,
    kText,
    kEscape,
    kNumber,
    kLiteral,
    kStepping,  // over a container
    kDone,
    kFailed
  };
  using Text = std::optional<std::string_view>;

  // What nearly always stands between two tokens, without a turn of the loop for each byte of it.
  const char* TakePunctuation(const char* at, const char* end) {
    if (at == end || at_ > At::kAfterValue) return at;
    if ((*at == ':' && at_ == At::kColon) || (*at == ',' && at_ == At::kAfterValue)) {
      at_ = at_ == At::kColon || InArray() ? At::kValue : At::kKey;
      ++at;
    }
    return at != end && *at == ' ' ? at + 1 : at;
  }

  // What stands between tokens, and a text that begins: those are most of the tokens there are.
  const char* TakeStructure(const char* at, const char* end) {
    const char c = *at;
    const bool key = at_ == At::kKey || at_ == At::kFirstKey;
    if (c == '"' && (key || at_ <= At::kFirstElement)) {
      BeginText(key, key ? sink_.WantsKey() : sink_.WantsScalar());
      return ++at == end ? end : TakePunctuation(TakeText(at, end), end);
    }
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    return space || Structure(c) ? at + 1 : at;
  }

  // Each takes what belongs to the token under way and returns what follows.
  const char* TakeRest(const char* at, const char* end) {
    switch (at_) {
      case At::kEscape:
        return TakeEscape(at, end);
      case At::kNumber:
        return TakeNumber(at, end);
      case At::kLiteral:
        return TakeLiteral(at, end);
      default:
        return TakeStep(at, end);
    }
  }

  // False: `c` is not consumed yet. A '"' comes here only where none may be.
  bool Structure(char c) {
    switch (at_) {
      case At::kFirstElement:
        if (c == ']') return Close(true);
        [[fallthrough]];
      case At::kValue:
        return BeginValue(c);
      case At::kFirstKey:
        if (c == '}') return Close(false);
        [[fallthrough]];
      case At::kKey:
        return Fail();  // no '"'
      case At::kColon:
        at_ = c == ':' ? At::kValue : At::kFailed;
        return true;
      default:
        if (c == ']' || c == '}') return Close(c == ']');
        if (c != ',') return Fail();
        at_ = InArray() ? At::kValue : At::kKey;
        return true;
    }
  }

  bool BeginValue(char c) {
    if (c == '{' || c == '[') return Open(c == '[');
    text_.clear();
    key_ = false;
    wanted_ = sink_.WantsScalar();
    if (c == '-' || (c >= '0' && c <= '9')) {
      number_.Start();
      at_ = At::kNumber;
      return false;
    }
    literal_ = c == 't' ? "true" : c == 'f' ? "false" : "null";
    if (literal_.front() != c) return Fail();
    literal_at_ = 0;
    at_ = At::kLiteral;
    return false;
  }

  bool Open(bool array) {
    if (depth_ == json::kDepthMax) return Fail();
    if (!sink_.OnOpen(array)) {
      step_over_.Start(json::kDepthMax - depth_ - 1);
      at_ = At::kStepping;
      return true;
    }
    arrays_ = arrays_ << 1 | (array ? 1U : 0U);
    ++depth_;
    at_ = array ? At::kFirstElement : At::kFirstKey;
    return true;
  }
  bool Close(bool array) {
    if (depth_ == 0 || array != InArray()) return Fail();
    arrays_ >>= 1;
    --depth_;
    sink_.OnClose();
    return AfterValue();
  }
  bool AfterValue() {
    at_ = depth_ == 0 ? At::kDone : At::kAfterValue;
    return true;
  }
  bool Fail() {
    at_ = At::kFailed;
    return true;
  }
  bool InArray() const { return (arrays_ & 1) != 0; }

  void BeginText(bool key, bool wanted) {
    text_.clear();
    key_ = key;
    wanted_ = wanted;
    at_ = At::kText;
  }

  const char* TakeText(const char* at, const char* end) {
    const std::string_view rest(at, static_cast<size_t>(end - at));
    const size_t stop = FindByte(rest, 0, [](auto byte) {
      return (byte == '"') | (byte == '\\') | (byte < 0x20);  // a bare control byte is none of JSON's
    });
    const std::string_view part = rest.substr(0, stop);
    if (stop == rest.size()) return Keep(part), end;
    const char c = rest[stop];
    if (c == '"' && text_.empty()) {
      EndText(part);  // in one piece, the usual case: nothing is copied
      return at + stop + 1;
    }
    if (!Keep(part)) return end;
    if (c == '"') {
      EndText(text_);
    } else {
      escape_.Start();
      at_ = c == '\\' ? At::kEscape : At::kFailed;
    }
    return at + stop + 1;
  }

  const char* TakeEscape(const char* at, const char* end) {
    std::string decoded;
    json::Escape::Step step = json::Escape::Step::kMore;
    while (step == json::Escape::Step::kMore && at != end) step = escape_.Take(*at++, &decoded);
    if (step == json::Escape::Step::kMalformed) return Fail(), at;
    if (step == json::Escape::Step::kDone) at_ = At::kText;
    Keep(decoded);
    return at;
  }

  const char* TakeNumber(const char* at, const char* end) {
    const char* const begin = at;
    while (at != end && number_.Take(*at)) ++at;
    const std::string_view part(begin, static_cast<size_t>(at - begin));
    if (at == end) return Keep(part), at;
    if (!number_.Complete()) return Fail(), at;
    if (text_.empty()) return EndNumber(part), at;
    if (Keep(part)) EndNumber(text_);
    return at;
  }

  const char* TakeLiteral(const char* at, const char* end) {
    while (literal_at_ < literal_.size() && at != end) {
      if (*at != literal_[literal_at_++]) return Fail(), at;
      ++at;
    }
    if (literal_at_ == literal_.size()) EndScalar(literal_, literal_ == "null");
    return at;
  }

  const char* TakeStep(const char* at, const char* end) {
    std::string_view rest(at, static_cast<size_t>(end - at));
    const json::StepOver::Step step = step_over_.Take(&rest);
    if (step == json::StepOver::Step::kEnd) AfterValue();
    if (step == json::StepOver::Step::kTooDeep) Fail();
    return end - rest.size();
  }

  // False: a wanted scalar has become too long. A key that has is one that nobody knows.
  bool Fits(size_t size) {
    if (!wanted_ || size <= json::kTextBytesMax) return true;
    wanted_ = false;
    if (!key_) Fail();
    return key_;
  }
  bool Keep(std::string_view part) {
    const bool fits = Fits(text_.size() + part.size());
    if (fits && wanted_) text_.append(part);
    return fits;
  }
  void EndText(std::string_view text) {
    if (!key_) return EndScalar(text, false);
    Fits(text.size());
    sink_.OnKey(wanted_ ? Text(text) : std::nullopt);
    at_ = At::kColon;
  }
  void EndNumber(std::string_view text) {
    if (!wanted_ || !number_.has_exponent()) return EndScalar(text, false);
    EndScalar(json::WithoutExponent(text), false);
  }
  void EndScalar(std::string_view text, bool null) {
    if (!Fits(text.size())) return;
    AfterValue();
    if (!sink_.OnScalar(wanted_ ? Text(text) : std::nullopt, null)) at_ = At::kDone;
  }

  Sink& sink_;
  At at_ = At::kValue;
  bool key_ = false;     // the text under way is a key
  bool wanted_ = false;  // … and the sink wants it
  size_t depth_ = 0;
  uint64_t arrays_ = 0;  // a bit for each level: the innermost is the lowest
  std::string text_;     // of a wanted text that came in parts
  std::string_view literal_;
  size_t literal_at_ = 0;
  json::NumberGrammar number_;
  json::Escape escape_;
  json::StepOver step_over_;
};

}  // namespace apiquota::provider
