#include "base/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace apiquota {
namespace {

using Kind = YamlNode::Kind;

constexpr size_t kBytesMax = 1024 * 1024;
constexpr size_t kDepthMax = 64;

// Keeps the first complaint. Marks count from 0, people from 1.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& error() const { return error_; }
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Complain(mark, "a second document; one file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Add(mark, Kind::kNull); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { OnAnchor(mark, ""); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    Complain(mark, "anchors and aliases are not read here; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    CheckTag(mark, tag);
    if (IsKey() && !open_.back().keys.insert(value).second) {
      Complain(mark, "duplicate key");
    }
    Add(mark, Kind::kScalar)->scalar = value;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, Kind::kList);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, Kind::kMap);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // A list or map that has begun. Its place in memory stays while it is open: its parent grows only after it.
  struct Level {
    YamlNode* node;
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

  // Whether the next node is one: in a map every other is.
  bool IsKey() const {
    return !open_.empty() && open_.back().node->kind == Kind::kMap &&
           open_.back().node->children.size() % 2 == 0;
  }

  YamlNode* Add(const YAML::Mark& mark, Kind kind) {
    if (IsKey() && kind != Kind::kScalar) Complain(mark, "expected a plain word as key");
    YamlNode* node = open_.empty() ? &root_ : &open_.back().node->children.emplace_back();
    node->kind = kind;
    node->line = mark.line + 1;
    node->column = mark.column + 1;
    return node;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, Kind kind) {
    CheckTag(mark, tag);
    open_.push_back({Add(mark, kind), {}});
    if (open_.size() > kDepthMax) {
      Complain(mark, fmt::format("nested deeper than {} levels, which no file of ours needs", kDepthMax));
    }
  }

  std::string file_;
  std::optional<Error> error_;
  int documents_ = 0;
  YamlNode root_;
  std::vector<Level> open_;
};

// yaml-cpp says what it stumbled over behind a colon: "the referenced anchor is not defined: sk-…".
std::string_view WithoutQuotation(std::string_view message) { return message.substr(0, message.find(':')); }

}  // namespace

Result<YamlNode> ParseYamlTree(const std::string& text, const std::string& file) {
  if (text.size() > kBytesMax) return Fail(file + ":1:1: larger than 1 MiB, which no file of ours needs");
  TreeBuilder builder(file);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (!builder.error() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::ParserException& exception) {
    return Fail(fmt::format("{}:{}:{}: not YAML: {}", file, exception.mark.line + 1,
                            exception.mark.column + 1, WithoutQuotation(exception.msg)));
  } catch (const YAML::Exception& exception) {
    return Fail(fmt::format("{}:1:1: not YAML: {}", file, WithoutQuotation(exception.msg)));
  }
  if (builder.error()) return std::unexpected(*builder.error());
  return builder.TakeRoot();
}

}  // namespace apiquota
