#include "quota/saved_text.h"

#include <boost/crc.hpp>
#include <cmath>

namespace apiquota::quota {
namespace {

constexpr std::string_view kBeforeChecksum = R"({"version": 2, "crc32": ")";
constexpr std::string_view kBeforeSaved = "\", \"saved\":\n";
constexpr std::string_view kAfterSaved = "\n}\n";

std::string Checksum(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kHex[(crc.checksum() >> shift) & 15]);
  return text;
}

}  // namespace

std::string Framed(std::string_view saved) {
  std::string text(kBeforeChecksum);
  return text.append(Checksum(saved)).append(kBeforeSaved).append(saved).append(kAfterSaved);
}

Result<std::string_view> Unframed(std::string_view text, std::string_view what) {
  const auto fault = [&](std::string_view how) { return Fail(std::string(what).append(how)); };
  if (!text.starts_with(kBeforeChecksum)) return text;
  const std::string_view rest = text.substr(kBeforeChecksum.size());
  const std::string_view checksum = rest.substr(0, 8);
  if (!rest.substr(checksum.size()).starts_with(kBeforeSaved) || !rest.ends_with(kAfterSaved))
    return fault(" are damaged");
  std::string_view saved = rest.substr(checksum.size() + kBeforeSaved.size());
  if (saved.size() < kAfterSaved.size()) return fault(" are damaged");
  saved.remove_suffix(kAfterSaved.size());
  if (Checksum(saved) != checksum) return fault(" do not have the checksum they were saved with");
  return saved;
}

int64_t ToMicros(SystemTime time) { return time.time_since_epoch().count(); }

SavedMembers::SavedMembers(const SavedJson& json) : json_(json) {
  if (!json.is_object()) Fault("is not an object");
}

std::string SavedMembers::Text(const char* name) {
  const SavedJson* value = Find(name, true);
  if (value == nullptr) return {};
  if (!value->is_string()) Fault(std::string(name) + " is not a text");
  return value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<double> SavedMembers::Number(const char* name) {
  const SavedJson* value = Find(name, false);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>()))
    Fault(std::string(name) + " is not a number");
  return value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

std::optional<SystemTime> SavedMembers::Time(const char* name, bool required) {
  const SavedJson* value = Find(name, required);
  if (value == nullptr) return std::nullopt;
  const int64_t micros = value->is_number_integer() ? value->get<int64_t>() : -1;
  if (!FromUnixSeconds(static_cast<double>(micros) / 1e6)) Fault(std::string(name) + " is not a time");
  return SystemTime(Micros(micros));
}

const SavedJson* SavedMembers::Find(const char* name, bool required) {
  if (!error_.empty()) return nullptr;
  const auto found = json_.find(name);
  if (found == json_.end()) {
    if (required) Fault(std::string(name) + " is missing");
    return nullptr;
  }
  ++taken_;
  return &*found;
}

void SavedMembers::Fault(const std::string& what) {
  if (error_.empty()) error_ = what;
}

std::string SavedMembers::Finish() {
  if (error_.empty() && taken_ != json_.size()) Fault("has an unknown field");
  return error_;
}

}  // namespace apiquota::quota
