// rooms: http
// The first byte chooses the codings, the second the size of the pieces; the rest is a body. Whatever stands
// there, no more comes out than the bound says, and the same way in pieces as in one.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/content_decoder.h"

namespace {

namespace http = apiquota::http;

constexpr std::string_view kCodings[] = {"gzip",       "deflate",  "br",         "zstd",
                                         "gzip, gzip", "br, zstd", "deflate, br"};

struct Counter final : http::ByteSink {
  bool Put(std::string_view text) override {
    bytes += text.size();
    return true;
  }
  size_t bytes = 0;
};

bool Fails(std::string_view coding, std::string_view body, size_t piece) {
  auto decoder = http::ContentDecoder::For(coding);
  Counter counter;
  for (size_t at = 0; at < body.size(); at += piece) decoder->Write(body.substr(at, piece), counter);
  if (counter.bytes > 65536 + 100 * body.size() || counter.bytes != decoder->output_bytes()) std::abort();
  return decoder->Failed();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view coding = kCodings[data[0] % std::size(kCodings)];
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool whole = Fails(coding, body, body.size());
  // A bomb is found out earlier in pieces: there is less input to justify the output. Behind the end
  // of an inner coding nobody looks, wherever the pieces put it.
  const bool stacked = coding.find(',') != std::string_view::npos;
  if (!Fails(coding, body, 1 + data[1]) && whole && !stacked) std::abort();
  return 0;
}
