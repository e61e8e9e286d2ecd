#include "provider/body_reader.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "provider/conditions.h"

namespace apiquota::provider {
namespace {

enum class BodyKind : uint8_t { kDocument, kMaybeDocument, kEvents, kLines, kFrames, kOther };

BodyKind KindOf(const http::Fields& fields) {
  const std::string_view type = fields.Find("content-type").value_or("");
  if (EqualsIgnoreCase(Trim(type.substr(0, type.find(';'))), "application/json")) return BodyKind::kDocument;
  if (StartsWithIgnoreCase(type, "text/event-stream")) return BodyKind::kEvents;
  if (StartsWithIgnoreCase(type, "application/vnd.amazon.eventstream")) return BodyKind::kFrames;
  for (const std::string_view lines : {"ndjson", "jsonl", "json-lines", "stream+json"}) {
    if (ContainsIgnoreCase(type, lines)) return BodyKind::kLines;
  }
  if (type.empty() || ContainsIgnoreCase(type, "json")) return BodyKind::kDocument;
  // JSON and events are sent as text, too, or as bytes of any kind; then nothing is promised.
  const bool any =
      StartsWithIgnoreCase(type, "text/") || StartsWithIgnoreCase(type, "application/octet-stream");
  return any ? BodyKind::kMaybeDocument : BodyKind::kOther;
}

enum class Beginning : uint8_t { kOpen, kEvents, kOther };

// A stream of events without its type, as some servers and proxies send it, begins with one of its names, or
// with a comment: none of them begins a JSON text.
Beginning Judge(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  constexpr size_t kEnough = 64;
  if (bytes.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(bytes)) return Beginning::kOpen;
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  const size_t text = bytes.find_first_not_of(" \t\r\n");
  if (text == std::string_view::npos) return bytes.size() < kEnough ? Beginning::kOpen : Beginning::kOther;
  bytes.remove_prefix(text);
  for (const std::string_view name : {"data:", "event:", "id:", "retry:", ":"}) {
    if (bytes.starts_with(name)) return Beginning::kEvents;
    if (name.starts_with(bytes)) return Beginning::kOpen;
  }
  return Beginning::kOther;
}

bool IsUsage(const Exporter& exporter, const std::string& pointer) {
  return std::ranges::any_of(exporter.usage, [&](const UsageRule& rule) {
    return std::ranges::find(rule.pointers, pointer) != rule.pointers.end();
  });
}

// Of what events say, what is kept to the end: usage, and quotas.
bool IsKept(const Exporter& exporter, const std::string& pointer) {
  for (uint64_t bits = exporter.event_pointers; bits != 0; bits &= bits - 1) {
    if (exporter.body_pointers[static_cast<size_t>(std::countr_zero(bits))].text == pointer) return true;
  }
  return IsUsage(exporter, pointer);
}

}  // namespace

std::optional<BodyReader> BodyReader::For(const Exporter& exporter, const http::Exchange& exchange,
                                          bool decoded) {
  uint64_t of_documents = 0;
  uint64_t of_events = 0;
  for (const BodyAsk& ask : exporter.body_asks) {
    if (Holds(ask.when, exchange)) (ask.stream ? of_events : of_documents) |= ask.pointers;
  }
  if ((of_documents | of_events) == 0) return std::nullopt;
  const BodyKind kind = KindOf(exchange.fields);
  if (kind == BodyKind::kOther) return std::nullopt;
  const bool stream = kind == BodyKind::kEvents || kind == BodyKind::kLines || kind == BodyKind::kFrames;
  if (stream && of_events == 0) return std::nullopt;
  BodyReader reader(exporter, stream ? of_events : of_documents, of_events);
  reader.json_expected_ = kind != BodyKind::kMaybeDocument;
  reader.judged_ = stream;
  if (kind == BodyKind::kEvents) reader.stream_.emplace(EventStream::Kind::kServerSentEvents);
  if (kind == BodyKind::kLines) reader.stream_.emplace(EventStream::Kind::kLines);
  if (kind == BodyKind::kFrames) reader.stream_.emplace(EventStream::Kind::kAmazonFrames);
  if (!decoded) reader.Decode(exchange.fields);
  return reader;
}

BodyReader::BodyReader(const Exporter& exporter, uint64_t pointers, uint64_t of_events)
    : exporter_(&exporter), of_events_(of_events), scanner_(exporter.body_pointers, pointers) {}

void BodyReader::Decode(const http::Fields& fields) {
  const auto coding = fields.Find("content-encoding");
  if (!coding || http::IsIdentity(*coding)) return;
  decoder_ = http::ContentDecoder::For(fields.Joined("content-encoding").value_or(""));
  if (!decoder_) GiveUp();
}

void BodyReader::GiveUp() {
  over_ = true;
  failed_ = json_expected_;
}

void BodyReader::Write(std::string_view bytes) {
  if (over_) return;
  if (!decoder_) {
    Put(bytes);
    return;
  }
  decoder_->Write(bytes, *this);
  if (decoder_->Failed()) GiveUp();
}

bool BodyReader::Put(std::string_view bytes) {
  if (judged_) return PutJudged(bytes);
  if (!beginning_.empty()) bytes = beginning_.append(bytes);
  const Beginning looks = Judge(bytes);
  if (looks == Beginning::kOpen) {
    if (beginning_.empty()) beginning_ = bytes;
    return true;
  }
  judged_ = true;
  if (looks == Beginning::kEvents && of_events_ != 0) {
    stream_.emplace(EventStream::Kind::kServerSentEvents);
    scanner_ = BodyScanner(exporter_->body_pointers, of_events_);
  }
  const std::string kept = std::exchange(beginning_, {});
  return PutJudged(kept.empty() ? bytes : kept);
}

bool BodyReader::PutJudged(std::string_view bytes) {
  if (stream_) {
    stream_->Write(bytes, *this);
    failed_ = failed_ || stream_->Failed();
    return true;
  }
  const size_t room = kDocumentBytesMax - decoded_bytes_;
  scanner_.Write(bytes.substr(0, room));
  decoded_bytes_ += std::min(bytes.size(), room);
  if (scanner_.Done()) {
    over_ = true;
  } else if (scanner_.Failed() || decoded_bytes_ == kDocumentBytesMax) {
    GiveUp();
  }
  return !over_;
}

void BodyReader::OnData(std::string_view piece) {
  if (!event_is_object_) {
    piece.remove_prefix(std::min(piece.find_first_not_of(" \t\r\n\xef\xbb\xbf"), piece.size()));
    if (piece.empty()) return;
    event_is_object_ = piece.starts_with('{');
  }
  if (*event_is_object_) scanner_.Write(piece);
}

void BodyReader::OnEventEnd() {
  if (scanner_.Failed()) failed_ = true;  // an object, and not readable as one
  if (scanner_.HasValues()) {
    std::vector<http::BodyValue> values = scanner_.TakeValues();
    if (event_.empty() && SpeaksOfThrottle(*exporter_, values)) event_ = values;
    KeepForTheEnd(std::move(values));
  }
  if (event_is_object_.value_or(false)) scanner_.Restart();
  event_is_object_.reset();
}

// What several events say of one pointer: of usage the most, since what streams report is cumulative and the
// last may say 0 of what an earlier one has said; of quotas what the last event says.
void BodyReader::KeepForTheEnd(std::vector<http::BodyValue> values) {
  const auto number = [](const http::BodyValue& value) { return ParseDecimal(value.value).value_or(-1); };
  std::erase_if(values, [&](const auto& value) { return !IsKept(*exporter_, value.pointer); });
  std::erase_if(kept_, [&](const http::BodyValue& known) {
    return !IsUsage(*exporter_, known.pointer) &&
           std::ranges::find(values, known.pointer, &http::BodyValue::pointer) != values.end();
  });
  for (http::BodyValue& value : values) {
    const auto known = IsUsage(*exporter_, value.pointer)
                           ? std::ranges::find(kept_, value.pointer, &http::BodyValue::pointer)
                           : kept_.end();
    if (known == kept_.end()) {
      kept_.push_back(std::move(value));
    } else if (number(value) > number(*known)) {
      *known = std::move(value);
    }
  }
}

void BodyReader::TakeInto(http::Exchange* exchange) {
  if (!over_ && !beginning_.empty()) PutJudged(beginning_);
  if (!over_ && stream_) stream_->End(*this);
  exchange->response_body = stream_ ? std::exchange(kept_, {}) : scanner_.TakeValues();
  exchange->stream_event = std::exchange(event_, {});
  over_ = true;
}

}  // namespace apiquota::provider
