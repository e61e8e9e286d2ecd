#include "cache/cache_control.h"

#include <algorithm>

#include "base/text.h"
#include "http/codec.h"

namespace apiquota::cache {
namespace {

struct Directive {
  std::string_view name;
  std::optional<std::string_view> argument;  // without its quotes; escapes stay, no number has any
  bool malformed = false;                    // something stands behind it that belongs to nothing

  bool Is(std::string_view other) const { return EqualsIgnoreCase(name, other); }
  // What an argument in seconds says; nothing: there is none that counts.
  std::optional<Micros> Seconds() const {
    return malformed || !argument ? std::nullopt : ParseDelta(*argument);
  }
};

// The length of the quoted string at the front, with its quotes; all of the text if it never ends.
size_t QuotedLength(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
  }
  return text.size();
}

// The rest of a member of a list, up to its comma: quoted strings hold commas of their own.
std::string_view TakeRest(std::string_view* line) {
  size_t at = 0;
  while (at < line->size() && (*line)[at] != ',') {
    at += (*line)[at] == '"' ? QuotedLength(line->substr(at)) : 1;
  }
  at = std::min(at, line->size());
  const std::string_view rest = line->substr(0, at);
  line->remove_prefix(at);
  return rest;
}

void ReadArgument(std::string_view* line, Directive* directive) {
  line->remove_prefix(1);  // the equals sign
  if (line->starts_with('"')) {
    const size_t size = QuotedLength(*line);
    directive->malformed = size < 2 || (*line)[size - 1] != '"';
    directive->argument = line->substr(1, size < 2 ? 0 : size - 2);
    line->remove_prefix(size);
  } else {
    const size_t size = http::TokenLength(*line);
    directive->argument = line->substr(0, size);
    line->remove_prefix(size);
  }
}

template <class Note>
void ForEachDirective(std::string_view line, const Note& note) {
  while (!line.empty()) {
    if (line.front() == ',' || line.front() == ' ' || line.front() == '\t') {
      line.remove_prefix(1);
      continue;
    }
    Directive directive;
    directive.name = line.substr(0, http::TokenLength(line));
    line.remove_prefix(directive.name.size());
    if (line.starts_with('=')) ReadArgument(&line, &directive);
    if (!Trim(TakeRest(&line)).empty()) directive.malformed = true;
    note(directive);
  }
}

void KeepLess(std::optional<Micros>* kept, Micros other) {
  *kept = kept->has_value() ? std::min(**kept, other) : other;
}
void KeepMore(std::optional<Micros>* kept, Micros other) {
  *kept = kept->has_value() ? std::max(**kept, other) : other;
}

void Note(const Directive& directive, ResponseDirectives* said) {
  if (directive.Is("max-age")) {
    KeepLess(&said->max_age, directive.Seconds().value_or(Micros{}));
  } else if (directive.Is("no-store")) {
    said->no_store = true;
  } else if (directive.Is("no-cache")) {
    said->no_cache = true;
  } else if (directive.Is("must-revalidate")) {
    said->must_revalidate = true;
  } else if (directive.Is("must-understand")) {
    said->must_understand = true;
  } else if (directive.Is("public")) {
    said->is_public = true;
  } else if (directive.Is("private")) {
    said->is_private = true;
  } else if (directive.Is("stale-if-error")) {
    KeepLess(&said->stale_if_error, directive.Seconds().value_or(Micros{}));
  }
}

void Note(const Directive& directive, RequestDirectives* said) {
  if (directive.Is("max-age")) {
    KeepLess(&said->max_age, directive.Seconds().value_or(Micros{}));
  } else if (directive.Is("no-store")) {
    said->no_store = true;
  } else if (directive.Is("no-cache")) {
    said->no_cache = true;
  } else if (directive.Is("only-if-cached")) {
    said->only_if_cached = true;
  } else if (directive.Is("min-fresh")) {
    KeepMore(&said->min_fresh, directive.Seconds().value_or(kDeltaMax));
  } else if (directive.Is("max-stale")) {
    const bool any = !directive.argument && !directive.malformed;
    KeepLess(&said->max_stale, any ? kDeltaMax : directive.Seconds().value_or(Micros{}));
  } else if (directive.Is("stale-if-error")) {
    KeepLess(&said->stale_if_error, directive.Seconds().value_or(Micros{}));
  }
}

}  // namespace

std::optional<Micros> ParseDelta(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto seconds = ParseDigits(text);
  if (!seconds || *seconds > uint64_t{1} << 31) return kDeltaMax;
  return std::chrono::seconds(*seconds);
}

ResponseDirectives ReadResponseDirectives(const http::Fields& fields) {
  ResponseDirectives said;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    if (field.name.size() != 13 || !EqualsIgnoreCase(field.name, "cache-control")) continue;
    said.present = true;
    ForEachDirective(field.value, [&said](const Directive& directive) { Note(directive, &said); });
  }
  return said;
}

void NoteRequestDirectives(std::string_view line, RequestDirectives* directives) {
  directives->present = true;
  ForEachDirective(line, [directives](const Directive& directive) { Note(directive, directives); });
}

}  // namespace apiquota::cache
