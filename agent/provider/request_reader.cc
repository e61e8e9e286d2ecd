#include "provider/request_reader.h"

#include "base/text.h"

namespace apiquota::provider {
namespace {

using Reader = std::variant<BodyScanner, FormReader>;

Reader ReaderFor(const PointerSet& pointers, std::string_view content_type) {
  const std::string boundary = BoundaryOf(content_type);
  if (!boundary.empty()) return FormReader(pointers, boundary);
  return BodyScanner(pointers, pointers.all());
}

}  // namespace

RequestReader::RequestReader(const PointerSet& pointers, const http::Fields& fields, Measure measure)
    : reader_(ReaderFor(pointers, fields.Find("content-type").value_or(""))) {
  const std::string_view type = fields.Find("content-type").value_or("");
  const bool form = StartsWithIgnoreCase(type, "multipart/form-data");
  if (measure == Measure::kYes) meter_.emplace(RequestMeter::BodyOf(type));
  readable_ = type.empty() || ContainsIgnoreCase(type, "json") || form;
  const auto coding = fields.Find("content-encoding");
  if (!coding || http::IsIdentity(*coding)) return;
  decoder_ = http::ContentDecoder::For(fields.Joined("content-encoding").value_or(""));
  if (!decoder_) GiveUp();
}

void RequestReader::EndScan() {
  scanned_ = true;
  over_ = !meter_;
}

void RequestReader::GiveUp() {
  failed_ = readable_;
  EndScan();
}

void RequestReader::Write(std::string_view bytes) {
  if (over_) return;
  if (!decoder_) {
    Put(bytes);
    return;
  }
  decoder_->Write(bytes, *this);
  encoded_bytes_ += bytes.size();
  if (over_ || !(decoder_->Failed() || decoder_->output_bytes() > kDecodedBytesMax)) return;
  if (meter_ && decoder_->Failed()) meter_.emplace(RequestMeter::Body::kText, encoded_bytes_);
  decoder_.reset();
  if (!scanned_) GiveUp();
}

bool RequestReader::Put(std::string_view bytes) {
  if (!scanned_) {
    std::visit([bytes](auto& reader) { reader.Write(bytes); }, reader_);
    if (std::visit([](const auto& reader) { return reader.Done(); }, reader_)) {
      EndScan();
    } else if (std::visit([](const auto& reader) { return reader.Failed(); }, reader_)) {
      GiveUp();
    }
  }
  if (meter_) meter_->Write(bytes);
  return !over_;
}

std::vector<http::BodyValue> RequestReader::TakeValues() {
  return std::visit([](auto& reader) { return reader.TakeValues(); }, reader_);
}

}  // namespace apiquota::provider
