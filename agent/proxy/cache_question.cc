#include "proxy/cache_question.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "base/tidy_path.h"
#include "guard/path_pattern.h"

namespace apiquota::proxy {
namespace {

// Words in names of fields that tell who asks, for whom, or by which address of the API's: what an answer
// depends on without Vary, since an API does not expect others to be given it.
constexpr std::string_view kOwnerWords[] = {
    "auth",    "token",    "key",        "secret",         "cookie",      "session",    "signature",
    "dpop",    "passw",    "credential", "organization",   "org-id",      "project",    "account",
    "tenant",  "customer", "workspace",  "user",           "email",       "login",      "principal",
    "role",    "group",    "sudo",       "impersonate",    "client-id",   "on-behalf",  "act-as",
    "rewrite", "override", "original-",  "forwarded-host", "forwarded-p", "forwarded-s"};

// The last five bits of a letter are its number, in either case. Other bytes have them, too: a word that may
// begin here is looked at.
constexpr unsigned BitsOf(char c) { return static_cast<unsigned char>(c) & 31U; }

// By a word's first letter which letters come second: nearly all places of a name are none of a word.
constexpr std::array<uint32_t, 32> SecondLetters() {
  std::array<uint32_t, 32> letters{};
  for (const std::string_view word : kOwnerWords) letters[BitsOf(word[0])] |= uint32_t{1} << BitsOf(word[1]);
  return letters;
}
constexpr std::array<uint32_t, 32> kSecondLetters = SecondLetters();

bool MayBegin(char one, char two) { return ((kSecondLetters[BitsOf(one)] >> BitsOf(two)) & 1U) != 0; }

// Idempotency-Key names a request, not who asks, and User-Agent a program.
bool TellsWho(std::string_view name) {
  for (size_t at = 0; at + 1 < name.size(); ++at) {
    if (!MayBegin(name[at], name[at + 1])) continue;
    const char second = AsciiLower(name[at + 1]);
    for (const std::string_view word : kOwnerWords) {
      if (word[1] == second && StartsWithIgnoreCase(name.substr(at), word))
        return !EqualsIgnoreCase(name, "idempotency-key") && !EqualsIgnoreCase(name, "user-agent");
    }
  }
  return false;
}

void AddPart(std::string_view part, std::string* text) { text->append(part).push_back('\0'); }

}  // namespace

const guard::CacheOptions::Post* RememberedPost(const guard::CacheOptions& options, std::string_view path) {
  if (options.post.empty()) return nullptr;
  std::string scratch;
  const std::string_view tidy = TidyPath(path, &scratch);
  for (const guard::CacheOptions::Post& post : options.post) {
    if (guard::FitsPattern(post.path, tidy)) return &post;
  }
  return nullptr;
}

void CacheQuestion::Set(const DecidedRequest& request, std::string_view path) {
  const apis::Route& route = *request.match.route;
  if (route_ != &route) SetRoute(route);
  question_ = {};
  method_ = request.head.method;
  question_.method = method_;
  question_.fields = &request.head.fields;
  question_.credential_fields = credential_fields_;
  credentials_.clear();
  AddPart(route.base.tls ? "https" : "http", &credentials_);
  AddPart(route.base.authority, &credentials_);
  SetTarget(request, path);
  AddCredentials(request);
  SetDigest(request.fingerprinter);
}

void CacheQuestion::SetRoute(const apis::Route& route) {
  route_ = &route;
  credential_fields_ = {"authorization", "cookie"};
  for (const provider::CredentialRule& rule : Info(*route.exporter).credentials) {
    if (!rule.header.empty()) credential_fields_.push_back(rule.header);
  }
}

void CacheQuestion::SetTarget(const DecidedRequest& request, std::string_view path) {
  const std::string_view asked = request.match.path;
  const std::string_view query = asked.substr(std::min(asked.find('?'), asked.size()));
  target_.assign(path).append(query);
  question_.target = target_;
  if (query.empty() || !apis::ReplaceInTarget(Info(*request.match.route->exporter), std::nullopt, &target_))
    return;
  question_.target = target_;
  if (request.choice.action == apis::KeyChoice::Action::kPass) AddPart(query, &credentials_);
}

// What takes a credential's place stands for it; a caller's token goes no further, and tells nothing here.
void CacheQuestion::AddCredentials(const DecidedRequest& request) {
  const auto& rules = Info(*request.match.route->exporter).credentials;
  const bool passes = request.choice.action == apis::KeyChoice::Action::kPass;
  if (request.choice.action == apis::KeyChoice::Action::kInject)
    AddPart(request.choice.key->value.Reveal(), &credentials_);
  const http::Fields& fields = request.head.fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    const bool known = std::ranges::any_of(
        rules, [&](const auto& rule) { return http::SpelledAlike(field.name, rule.header); });
    if (known ? !passes : !TellsWho(field.name)) continue;
    AddPart(field.name, &credentials_);
    AddPart(field.value, &credentials_);
  }
}

// A client hardly ever changes its credential.
void CacheQuestion::SetDigest(const net::Fingerprinter& fingerprinter) {
  if (known_.Reveal() != credentials_ || digest_.empty()) {
    digest_ = fingerprinter.Digest(credentials_);
    known_ = Secret(std::exchange(credentials_, {}));
  }
  std::ranges::fill(credentials_, '\0');
  question_.credential = digest_;
}

void CacheQuestion::KeepFields() {
  if (question_.fields == &fields_) return;
  fields_ = *question_.fields;
  question_.fields = &fields_;
}

bool CacheQuestion::SetBody(std::string_view json, Micros ttl) {
  auto canonical = cache::CanonicalJson(json);
  if (!canonical) return false;
  body_ = std::move(*canonical);
  question_.body = body_;
  question_.ttl = ttl;
  return true;
}

}  // namespace apiquota::proxy
