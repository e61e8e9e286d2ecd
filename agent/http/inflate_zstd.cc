// zstd, by libzstd, which reserves the declared window at once and touches it as output comes: reserving is
// free, so a wide window is followed until its output has filled what a narrow one would have.
#include <zstd.h>

#include <array>

#include "http/inflater.h"

namespace apiquota::http {
namespace {

constexpr int kWindowLogMax = 23;                 // 8 MiB, all that HTTP allows (RFC 9659)
constexpr size_t kWideOutputBytes = 64 * 1024;    // of a frame whose window is wider than this
constexpr size_t kNarrowStateBytes = 400 * 1024;  // libzstd's buffers: 320 KiB for 64 KiB, 512 for 128

struct FreeContext {
  void operator()(ZSTD_DStream* context) const { ZSTD_freeDStream(context); }
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater() : context_(ZSTD_createDStream()) {
    if (!context_) return;
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
    tables_bytes_ = ZSTD_sizeof_DStream(context_.get());
  }

  Outcome Write(std::string_view bytes, ByteSink& sink) override {
    if (!context_) return Outcome::kFailed;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::array<char, kInflaterPieceBytes> piece;
    while (true) {
      ZSTD_outBuffer out{piece.data(), piece.size(), 0};
      const size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
      if (out.pos > 0 && !sink.Put({piece.data(), out.pos})) return Outcome::kStopped;
      if (ZSTD_isError(result) != 0) return Outcome::kFailed;
      output_bytes_ += out.pos;
      const bool wide = ZSTD_sizeof_DStream(context_.get()) - tables_bytes_ > kNarrowStateBytes;
      if (wide && output_bytes_ > kWideOutputBytes) return Outcome::kFailed;
      if (in.pos == in.size && out.pos < out.size) return Outcome::kMore;  // frames may follow frames
    }
  }

 private:
  std::unique_ptr<ZSTD_DStream, FreeContext> context_;
  size_t tables_bytes_ = 0;
  size_t output_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Inflater> NewZstdInflater() { return std::make_unique<ZstdInflater>(); }

}  // namespace apiquota::http
