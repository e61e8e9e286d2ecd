// gzip and deflate, by zlib: a window of 32 KiB and 8 KiB of tables.
#include <zlib.h>

#include <array>
#include <cstdint>
#include <string>

#include "http/inflater.h"

namespace apiquota::http {
namespace {

constexpr int kWindowBits = 15;  // both formats' largest
constexpr int kGzip = kWindowBits + 16;
constexpr int kBare = -kWindowBits;  // without zlib's two bytes of header and the checksum

class ZlibInflater final : public Inflater {
 public:
  explicit ZlibInflater(int window_bits) : gzip_(window_bits == kGzip) {
    ready_ = inflateInit2(&stream_, window_bits) == Z_OK;
  }
  ~ZlibInflater() override { inflateEnd(&stream_); }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  Outcome Write(std::string_view bytes, ByteSink& sink) override {
    if (!ready_) return Outcome::kFailed;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    std::array<char, kInflaterPieceBytes> piece;
    while (true) {
      if (member_ended_ && !NextMember()) return Outcome::kEnded;
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = piece.size();
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const std::string_view out(piece.data(), piece.size() - stream_.avail_out);
      if (!out.empty()) {
        if (!sink.Put(out)) return Outcome::kStopped;
        in_member_ = true;
      }
      if (result == Z_STREAM_END) {
        if (!gzip_) return Outcome::kEnded;
        member_ended_ = true;
        if (stream_.avail_in == 0) return Outcome::kMore;
        continue;
      }
      if (result != Z_OK && result != Z_BUF_ERROR) {
        // Padding behind the last member is nobody's data.
        return members_ > 0 && !in_member_ ? Outcome::kEnded : Outcome::kFailed;
      }
      if (stream_.avail_in == 0 && stream_.avail_out > 0) return Outcome::kMore;
    }
  }

 private:
  // A gzip body may be several members, one behind the other (RFC 1952 2.2).
  bool NextMember() {
    ++members_;
    member_ended_ = in_member_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  z_stream stream_{};
  bool gzip_;
  bool ready_ = false;
  bool member_ended_ = false;
  bool in_member_ = false;
  int members_ = 0;
};

// "deflate" means zlib's format (RFC 9110 8.4.1.2), but bare deflate is sent under its name too: the first
// two bytes tell, being a valid zlib header or not.
class DeflateInflater final : public Inflater {
 public:
  Outcome Write(std::string_view bytes, ByteSink& sink) override {
    if (zlib_) return zlib_->Write(bytes, sink);
    const size_t taken = std::min(bytes.size(), 2 - start_.size());
    start_.append(bytes.substr(0, taken));
    if (start_.size() < 2) return Outcome::kMore;
    const auto first = static_cast<uint8_t>(start_[0]);
    const auto second = static_cast<uint8_t>(start_[1]);
    const bool header = (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
    zlib_ = std::make_unique<ZlibInflater>(header ? kWindowBits : kBare);
    const Outcome outcome = zlib_->Write(start_, sink);
    return outcome == Outcome::kMore ? zlib_->Write(bytes.substr(taken), sink) : outcome;
  }

 private:
  std::string start_;
  std::unique_ptr<ZlibInflater> zlib_;
};

}  // namespace

std::unique_ptr<Inflater> NewGzipInflater() { return std::make_unique<ZlibInflater>(kGzip); }
std::unique_ptr<Inflater> NewDeflateInflater() { return std::make_unique<DeflateInflater>(); }

}  // namespace apiquota::http
