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

RequestReader::RequestReader(const PointerSet& pointers, const http::Fields& fields)
    : reader_(ReaderFor(pointers, fields.Find("content-type").value_or(""))) {
  const std::string_view type = fields.Find("content-type").value_or("");
  const bool form = StartsWithIgnoreCase(type, "multipart/form-data");
  readable_ = type.empty() || ContainsIgnoreCase(type, "json") || form;
  const auto coding = fields.Find("content-encoding");
  if (!coding || http::IsIdentity(*coding)) return;
  decoder_ = http::ContentDecoder::For(fields.Joined("content-encoding").value_or(""));
  if (!decoder_) GiveUp();
}

void RequestReader::GiveUp() {
  over_ = true;
  failed_ = readable_;
}

void RequestReader::Write(std::string_view bytes) {
  if (over_) return;
  if (!decoder_) {
    Put(bytes);
    return;
  }
  decoder_->Write(bytes, *this);
  if (!over_ && (decoder_->Failed() || decoder_->output_bytes() > kDecodedBytesMax)) GiveUp();
}

bool RequestReader::Put(std::string_view bytes) {
  std::visit([bytes](auto& reader) { reader.Write(bytes); }, reader_);
  over_ = std::visit([](const auto& reader) { return reader.Done(); }, reader_);
  if (!over_ && std::visit([](const auto& reader) { return reader.Failed(); }, reader_)) GiveUp();
  return !over_;
}

std::vector<http::BodyValue> RequestReader::TakeValues() {
  return std::visit([](auto& reader) { return reader.TakeValues(); }, reader_);
}

}  // namespace apiquota::provider
