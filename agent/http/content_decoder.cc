#include "http/content_decoder.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/inflater.h"

namespace apiquota::http {
namespace {

constexpr size_t kCodingsMax = 2;
constexpr size_t kRatioMax = 100;
constexpr size_t kFreeBytes = 64 * 1024;  // of output that needs no input to justify it

using Make = std::unique_ptr<Inflater> (*)();
constexpr std::pair<std::string_view, Make> kCodings[] = {{"gzip", NewGzipInflater},
                                                          {"x-gzip", NewGzipInflater},
                                                          {"deflate", NewDeflateInflater},
                                                          {"br", NewBrotliInflater},
                                                          {"zstd", NewZstdInflater}};

}  // namespace

struct ContentDecoder::Stage {
  Make make;
  std::unique_ptr<Inflater> inflater =
      nullptr;  // made when its first byte comes: a library's state is not small
  size_t output_bytes = 0;
};

// From one stage to the next, or to the reader.
class ContentDecoder::Link final : public ByteSink {
 public:
  Link(ContentDecoder& decoder, size_t from, ByteSink& reader)
      : decoder_(decoder), from_(from), reader_(reader) {}

  bool Put(std::string_view bytes) override {
    size_t& output = decoder_.stages_[from_].output_bytes;
    output += bytes.size();
    if (output > kFreeBytes + kRatioMax * decoder_.input_bytes_) {
      decoder_.failed_ = true;
      return false;
    }
    return decoder_.Pass(from_ + 1, bytes, reader_);
  }

 private:
  ContentDecoder& decoder_;
  size_t from_;
  ByteSink& reader_;
};

ContentDecoder::ContentDecoder() = default;
ContentDecoder::~ContentDecoder() = default;
ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;

std::optional<ContentDecoder> ContentDecoder::For(std::string_view content_encoding) {
  ContentDecoder decoder;
  for (const std::string_view part : Split(content_encoding, ',')) {
    const std::string_view coding = Trim(part);
    if (coding.empty() || EqualsIgnoreCase(coding, "identity")) continue;
    const auto* known = std::ranges::find_if(
        kCodings, [&](const auto& entry) { return EqualsIgnoreCase(coding, entry.first); });
    if (known == std::end(kCodings) || decoder.stages_.size() == kCodingsMax) return std::nullopt;
    decoder.stages_.insert(decoder.stages_.begin(), Stage{known->second});
  }
  return decoder;
}

void ContentDecoder::Write(std::string_view bytes, ByteSink& sink) {
  if (failed_ || over_ || bytes.empty()) return;
  input_bytes_ += bytes.size();
  if (Pass(0, bytes, sink)) return;
  over_ = true;
  stages_.clear();
}

bool ContentDecoder::Pass(size_t stage, std::string_view bytes, ByteSink& sink) {
  if (stage == stages_.size()) {
    output_bytes_ += bytes.size();
    return sink.Put(bytes);
  }
  std::unique_ptr<Inflater>& inflater = stages_[stage].inflater;
  if (!inflater) inflater = stages_[stage].make();
  Link link(*this, stage, sink);
  const Inflater::Outcome outcome = inflater->Write(bytes, link);
  if (outcome == Inflater::Outcome::kFailed) failed_ = true;
  return outcome == Inflater::Outcome::kMore;  // what stands behind a coding's end is nobody's data
}

bool IsIdentity(std::string_view content_encoding) {
  const auto parts = Split(content_encoding, ',');
  return std::ranges::all_of(parts, [](std::string_view part) {
    return Trim(part).empty() || EqualsIgnoreCase(Trim(part), "identity");
  });
}

}  // namespace apiquota::http
