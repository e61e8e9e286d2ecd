#include "cache/wish.h"

#include "base/text.h"

namespace apiquota::cache {
namespace {

std::string_view WithoutWeakness(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

// The entity tag at the front of a list, with its quotes; a tag that has none ends at the comma.
std::string_view TakeTag(std::string_view* list) {
  const size_t quote = list->starts_with("W/\"") ? 2 : 0;
  size_t size = std::string_view::npos;
  if (list->substr(quote).starts_with('"')) {
    const size_t end = list->find('"', quote + 1);
    if (end != std::string_view::npos) size = end + 1;
  } else {
    size = list->find(',');
  }
  const std::string_view tag = Trim(list->substr(0, size));
  list->remove_prefix(std::min(size, list->size()));
  return tag;
}

bool ListNames(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    if (list.front() == ',' || list.front() == ' ' || list.front() == '\t') {
      list.remove_prefix(1);
      continue;
    }
    const std::string_view tag = TakeTag(&list);
    if (tag == "*" || (!etag.empty() && WithoutWeakness(tag) == WithoutWeakness(etag))) return true;
  }
  return false;
}

}  // namespace

Wish ReadWish(const http::Fields& fields) {
  Wish wish;
  bool pragma = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    switch (field.name.size()) {
      case 5:
        wish.range = wish.range || EqualsIgnoreCase(field.name, "range");
        break;
      case 6:
        pragma =
            pragma || (EqualsIgnoreCase(field.name, "pragma") && ContainsIgnoreCase(field.value, "no-cache"));
        break;
      case 8:
        wish.strict_condition = wish.strict_condition || EqualsIgnoreCase(field.name, "if-match");
        break;
      case 13:
        if (EqualsIgnoreCase(field.name, "cache-control")) NoteRequestDirectives(field.value, &wish.control);
        wish.none_match = wish.none_match || EqualsIgnoreCase(field.name, "if-none-match");
        break;
      case 17:
        if (EqualsIgnoreCase(field.name, "if-modified-since")) wish.modified_since = field.value;
        break;
      case 19:
        wish.strict_condition = wish.strict_condition || EqualsIgnoreCase(field.name, "if-unmodified-since");
        break;
      default:
        break;
    }
  }
  if (pragma && !wish.control.present) wish.control.no_cache = true;
  return wish;
}

bool MayBeAnswered(const Question& question) {
  if (question.body) return question.method == "POST";
  return question.method == "GET" || question.method == "HEAD";
}

bool Bypasses(const Question& question, const Wish& wish) {
  return !MayBeAnswered(question) || wish.range || wish.strict_condition || wish.control.no_store;
}

bool NamesTag(const http::Fields& fields, std::string_view etag) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    if (field.name.size() != 13 || !EqualsIgnoreCase(field.name, "if-none-match")) continue;
    if (ListNames(field.value, etag)) return true;
  }
  return false;
}

}  // namespace apiquota::cache
