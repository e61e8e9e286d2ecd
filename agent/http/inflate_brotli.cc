// br, by libbrotlidec, whose ring buffer grows with the output up to the window that was declared: its memory
// is counted here and refused beyond the bound.
#include <brotli/decode.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "http/inflater.h"

namespace apiquota::http {
namespace {

// Each block remembers its own size in front of it.
struct alignas(std::max_align_t) BlockHead {
  size_t size;
};

void* Allocate(void* opaque, size_t size) {
  size_t& left = *static_cast<size_t*>(opaque);
  if (size > left) return nullptr;
  auto* head = static_cast<BlockHead*>(std::malloc(sizeof(BlockHead) + size));
  if (head == nullptr) return nullptr;
  head->size = size;
  left -= size;
  return head + 1;
}

void Free(void* opaque, void* address) {
  if (address == nullptr) return;
  BlockHead* head = static_cast<BlockHead*>(address) - 1;
  *static_cast<size_t*>(opaque) += head->size;
  std::free(head);
}

class BrotliInflater final : public Inflater {
 public:
  BrotliInflater() : state_(BrotliDecoderCreateInstance(Allocate, Free, &bytes_left_)) {}
  ~BrotliInflater() override {
    if (state_ != nullptr) BrotliDecoderDestroyInstance(state_);
  }
  BrotliInflater(const BrotliInflater&) = delete;
  BrotliInflater& operator=(const BrotliInflater&) = delete;

  Outcome Write(std::string_view bytes, ByteSink& sink) override {
    if (state_ == nullptr) return Outcome::kFailed;
    size_t in_left = bytes.size();
    const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
    std::array<uint8_t, kInflaterPieceBytes> piece;
    while (true) {
      size_t out_left = piece.size();
      uint8_t* out = piece.data();
      const BrotliDecoderResult result =
          BrotliDecoderDecompressStream(state_, &in_left, &in, &out_left, &out, nullptr);
      const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size() - out_left);
      if (!text.empty() && !sink.Put(text)) return Outcome::kStopped;
      if (result == BROTLI_DECODER_RESULT_ERROR) return Outcome::kFailed;
      if (result == BROTLI_DECODER_RESULT_SUCCESS) return Outcome::kEnded;
      const bool pending = BrotliDecoderHasMoreOutput(state_) != BROTLI_FALSE;
      if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !pending) return Outcome::kMore;
    }
  }

 private:
  size_t bytes_left_ = kInflaterStateMax;
  BrotliDecoderState* state_;  // declared after what its allocator counts in
};

}  // namespace

std::unique_ptr<Inflater> NewBrotliInflater() { return std::make_unique<BrotliInflater>(); }

}  // namespace apiquota::http
