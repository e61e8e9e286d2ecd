// What the texts of saved state have in common: a frame with a checksum around JSON, and strict reading of
// the JSON's objects. The frame is
//   {"version": 2, "crc32": "0a1b2c3d", "saved":
//   {…}
//   }
// with the checksum over the bytes of the middle lines; all around it must stand as written, so that a text
// that was cut or in which a bit changed is never read. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota::quota {

using SavedJson = nlohmann::ordered_json;

std::string Framed(std::string_view saved);
// What stands inside the frame, its checksum right; a text that does not begin like one as it is. `what` is
// named in errors: "the saved readings".
Result<std::string_view> Unframed(std::string_view text, std::string_view what);

int64_t ToMicros(SystemTime time);

// Takes an object's members one by one; the first that is missing or wrong is remembered, and so is
// what is left. The object must outlive it.
class SavedMembers {
 public:
  explicit SavedMembers(const SavedJson& json);

  bool Has(const char* name) const { return json_.is_object() && json_.contains(name); }
  std::string Text(const char* name);
  std::optional<double> Number(const char* name);
  std::optional<SystemTime> Time(const char* name, bool required);
  const SavedJson* Find(const char* name, bool required);
  void Fault(const std::string& what);
  std::string Finish();  // empty if all went well and nothing was left over

 private:
  const SavedJson& json_;
  std::string error_;
  size_t taken_ = 0;
};

}  // namespace apiquota::quota
