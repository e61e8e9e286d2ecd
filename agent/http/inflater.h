// One content coding, undone: the part of content_decoder.h that knows a library. One file each.
#pragma once

#include <memory>
#include <string_view>

#include "http/content_decoder.h"

namespace apiquota::http {

class Inflater {
 public:
  enum class Outcome : uint8_t {
    kMore,     // everything given has been used
    kEnded,    // the coding's own end; what follows is not part of it
    kStopped,  // the sink wants no more
    kFailed,   // corrupt, or needs more memory than it gets
  };

  virtual ~Inflater() = default;
  virtual Outcome Write(std::string_view bytes, ByteSink& sink) = 0;
};

inline constexpr size_t kInflaterStateMax = 256 * 1024;  // where a library lets it be counted
// What is decoded at a time; on the stack.
inline constexpr size_t kInflaterPieceBytes = 8 * 1024;

std::unique_ptr<Inflater> NewGzipInflater();
std::unique_ptr<Inflater> NewDeflateInflater();  // zlib's format, and the bare one that some send for it
std::unique_ptr<Inflater> NewBrotliInflater();
std::unique_ptr<Inflater> NewZstdInflater();

}  // namespace apiquota::http
