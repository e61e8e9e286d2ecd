// Undoes content codings (RFC 9110 8.4.1: gzip, deflate; RFC 7932: br; RFC 8878: zstd) of a body that streams
// past, for reading a side copy: the relayed bytes are never touched. Pure, never throws on any input; not
// thread-safe.
//
// What a sender can make it spend is bounded: output to 64 KiB plus 100 times the input, stage by stage; a
// coding's own state to 40 KiB for gzip and deflate, 256 KiB for br, and half a MiB for zstd, whose tables
// alone take 160 KiB. Windows wider than that allows are followed for the first 64 KiB of output.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace apiquota::http {

// Takes what has been decoded, piece by piece. The pieces are not valid afterwards.
class ByteSink {
 public:
  virtual bool Put(std::string_view bytes) = 0;  // false: no more is wanted

 protected:
  ~ByteSink() = default;
};

class ContentDecoder {
 public:
  // For the value of Content-Encoding, all of its lines joined. Nothing: a coding that is not known, or more
  // than two of them.
  static std::optional<ContentDecoder> For(std::string_view content_encoding);
  ~ContentDecoder();
  ContentDecoder(ContentDecoder&&) noexcept;
  ContentDecoder& operator=(ContentDecoder&&) noexcept;

  // The next bytes of the body. After a failure, the coding's end, or a sink that wants no more, it only
  // returns.
  void Write(std::string_view bytes, ByteSink& sink);

  bool Failed() const { return failed_; }  // corrupt, or beyond a bound; what came before was handed over
  size_t output_bytes() const { return output_bytes_; }

 private:
  class Link;
  struct Stage;
  ContentDecoder();
  bool Pass(size_t stage, std::string_view bytes, ByteSink& sink);

  std::vector<Stage> stages_;  // the coding applied last comes first
  size_t input_bytes_ = 0;
  size_t output_bytes_ = 0;
  bool failed_ = false;
  bool over_ = false;
};

// Whether a Content-Encoding says that nothing was encoded.
bool IsIdentity(std::string_view content_encoding);

}  // namespace apiquota::http
