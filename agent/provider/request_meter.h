// Measures one request's body while it passes: how many bytes are text, how many pieces of media it holds and
// what they take, so that an image is not counted as a book. In a JSON body media are the strings that are a
// data: URL in base64 (RFC 2397), and those whose first 8 KiB are base64 alone; shorter ones count as text,
// which comes to no more than a piece of media does. Constant memory, no JSON is judged. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "provider/token_charge.h"

namespace apiquota::provider {

class RequestMeter {
 public:
  enum class Body : uint8_t { kJson, kText, kMedia };

  static constexpr size_t kBase64BytesMin = 8 * 1024;

  // `bytes` of the body have come already.
  explicit RequestMeter(Body body, uint64_t bytes = 0) : body_(body), all_bytes_(bytes) {}

  // By the request's Content-Type: JSON if it says none; media if it is neither JSON nor text, as a form is.
  static Body BodyOf(std::string_view content_type);

  void Write(std::string_view bytes);

  // Of what has come so far.
  BodySize size() const;

 private:
  void WriteJson(std::string_view bytes);
  void BeginText();
  void Look(std::string_view part);  // at a piece of the text under way
  void LookBehindBackslash(char c);
  void EndText();
  bool IsMedia() const;  // the text under way, as far as it has come

  Body body_;
  uint64_t all_bytes_ = 0;
  uint64_t media_bytes_ = 0;
  uint32_t media_ = 0;

  bool in_text_ = false;
  bool escaped_ = false;     // the byte that comes belongs to an escape
  bool base64_ = true;       // the text's first bytes are
  uint64_t text_bytes_ = 0;  // of the text under way
  size_t head_bytes_ = 0;    // of these, kept
  std::array<char, 128> head_{};
};

}  // namespace apiquota::provider
