// A credential that can't be printed by accident: no operator<<, no fmt formatter, no implicit
// conversion. The bytes are wiped when the Secret dies. Copyable; as thread-safe as a std::string.
#pragma once

#include <string>
#include <string_view>

namespace apiquota {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);  // takes the bytes; nothing of them stays in `value`
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { Wipe(); }

  bool empty() const { return value_.empty(); }

  // The credential itself: for the wire and for HMAC only.
  std::string_view Reveal() const { return value_; }

  // Takes the same time wherever the two differ. An empty Secret equals nothing, not even "".
  bool Equals(std::string_view candidate) const;

  // Whether two are the same, as settings are compared; here two empty ones are.
  friend bool operator==(const Secret& a, const Secret& b) {
    return a.Equals(b.value_) || (a.empty() && b.empty());
  }

 private:
  void Wipe();

  std::string value_;
};

}  // namespace apiquota
