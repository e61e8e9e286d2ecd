#include "base/yaml_shape.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace apiquota {
namespace {

constexpr size_t kBytesMax = 1024 * 1024;
constexpr size_t kDepthMax = 64;

// Keeps the first complaint. Marks count from 0, people from 1.
class ShapeHandler final : public YAML::EventHandler {
 public:
  explicit ShapeHandler(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& error() const { return error_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Complain(mark, "a second document; one file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Value(mark, nullptr); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { OnAnchor(mark, ""); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    Complain(mark, "anchors and aliases are not read here; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    CheckTag(mark, tag);
    Value(mark, &value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, false);
  }
  void OnSequenceEnd() override { levels_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, true);
  }
  void OnMapEnd() override { levels_.pop_back(); }

 private:
  struct Level {
    bool is_map = false;
    bool key_next = true;
    std::set<std::string> keys;
  };

  void Complain(const YAML::Mark& mark, std::string_view what) {
    if (error_) return;
    error_ = Error{fmt::format("{}:{}:{}: {}", file_, mark.line + 1, mark.column + 1, what)};
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    const bool none = tag.empty() || tag == "?" || tag == "!";  // plain and quoted, as yaml-cpp says it
    if (!none) Complain(mark, "tags such as !!str are not read here; write the plain value");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, bool is_map) {
    CheckTag(mark, tag);
    Value(mark, nullptr);
    levels_.push_back({is_map, true, {}});
    if (levels_.size() > kDepthMax) {
      Complain(mark, fmt::format("nested deeper than {} levels, which no file of ours needs", kDepthMax));
    }
  }

  // A node begins; in a map every other one is a key.
  void Value(const YAML::Mark& mark, const std::string* scalar) {
    if (levels_.empty() || !levels_.back().is_map) return;
    Level& map = levels_.back();
    if (map.key_next && scalar == nullptr) Complain(mark, "expected a plain word as key");
    if (map.key_next && scalar != nullptr && !map.keys.insert(*scalar).second) {
      Complain(mark, fmt::format("duplicate key \"{}\"", *scalar));
    }
    map.key_next = !map.key_next;
  }

  std::string file_;
  std::optional<Error> error_;
  int documents_ = 0;
  std::vector<Level> levels_;
};

}  // namespace

Status CheckYamlShape(const std::string& text, const std::string& file) {
  if (text.size() > kBytesMax) return Fail(file + ":1:1: larger than 1 MiB, which no file of ours needs");
  ShapeHandler handler(file);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (!handler.error() && parser.HandleNextDocument(handler)) {
    }
  } catch (const YAML::ParserException& exception) {
    return Fail(fmt::format("{}:{}:{}: not YAML: {}", file, exception.mark.line + 1,
                            exception.mark.column + 1, exception.msg));
  } catch (const YAML::Exception& exception) {
    return Fail(fmt::format("{}:1:1: not YAML: {}", file, exception.msg));
  }
  if (handler.error()) return std::unexpected(*handler.error());
  return {};
}

}  // namespace apiquota
