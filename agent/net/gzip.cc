#include "net/gzip.h"

#include <zlib.h>

#include <new>
#include <optional>

#include "base/text.h"

namespace apiquota::net {

std::string Gzip(std::string_view text) {
  constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header
  z_stream stream{};
  // Level 1: on metric texts it gives up a tenth of the size for a third of the time.
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<bool> gzip;
  bool any = false;
  for (const std::string_view item : Split(accept_encoding, ',')) {
    const size_t semicolon = item.find(';');
    const std::string_view coding = Trim(item.substr(0, semicolon));
    bool wanted = true;
    if (semicolon != std::string_view::npos) {
      const std::string_view weight = Trim(item.substr(semicolon + 1));
      wanted = StartsWithIgnoreCase(weight, "q=") && ParseDecimal(weight.substr(2)).value_or(0) > 0;
    }
    if (EqualsIgnoreCase(coding, "gzip")) gzip = wanted;
    if (coding == "*") any = wanted;
  }
  return gzip.value_or(any);
}

}  // namespace apiquota::net
