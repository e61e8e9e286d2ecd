#include "tests/fuzz/admin_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/fuzz/http_text.h"

namespace apiquota::fuzz {
namespace {

constexpr uint16_t kPort = 9429;
constexpr uint16_t kPortBehind = 9000;
constexpr std::string_view kToken = "token-of-this-start";
constexpr size_t kComputingMax = 2;              // requests whose password must be hashed, at a time
constexpr size_t kHeadMax = 32 * 1024;           // that the server behind reads
constexpr size_t kFieldsMax = 64;                // … of which it hands on
constexpr size_t kMemoryPerClient = 512 * 1024;  // beside answers
// A page may take a minute, and its client have left before. Whose end stands behind more than the buffers
// hold is known to have left only when it is answered: then a second page may be under way. And there may be
// one turn for all.
constexpr Micros kLingering = std::chrono::seconds(30);
constexpr Micros kPagesPerClient = std::chrono::seconds(125);

// The server behind is trusted to nobody's framing: what reaches it has no body, asks for no connection of
// its own kind, and shows the token once, before all else.
void CheckHead(std::string_view head) {
  const size_t line = head.find("\r\n") + 2;
  Require(head.substr(line).starts_with(fmt::format("{}: {}\r\n", net::kDoorField, kToken)),
          "the door's token comes first");
  Require(FieldOf(head, "x-apiquota-door") == kToken, "nobody but the door shows a token");
  for (const char* name : {"content-length", "transfer-encoding", "connection", "upgrade", "expect", "te",
                           "trailer", "keep-alive"}) {
    Require(!FieldOf(head, name), "the framing of a client's request ends at the door");
  }
  Require(head.size() <= kHeadMax, "the server behind can read what it is asked");
  const auto lines = std::ranges::count(head, '\n');
  Require(static_cast<size_t>(lines) <= kFieldsMax + 2, "the server behind loses no field");
}

}  // namespace

AdminWorldOptions AdminDefaults() {
  AdminWorldOptions options;
  options.admin.listen = {"127.0.0.1", kPort};
  options.admin.request_timeout = std::chrono::seconds(2);
  return options;
}

AdminWorld::AdminWorld(const AdminWorldOptions& options)
    : World(kPort, &CheckHead, {.together = kLingering, .per_client = kPagesPerClient}),
      options_(options),
      auth_(options.admin.web.users) {
  auto door = net::AdminDoor::Open(options_.admin,
                                   {.port = kPortBehind,
                                    .token = std::string(kToken),
                                    .requests_max = options.requests_max,
                                    .unsent_bytes_max = options.unsent_bytes_max},
                                   auth_, clock_);
  Require(door.has_value(), "the admin side's address is free");
  door_ = std::move(*door);
  Begun();
}

AdminWorld::~AdminWorld() {
  door_.reset();
  Ended();
}

// Answers wait for their readers in the door.
size_t AdminWorld::HeldPerClient() const { return kMemoryPerClient + 2 * traffic().said; }

void AdminWorld::CheckAtRest() {
  size_t asked = 0, computing = 0;
  for (const auto& behind : upstreams()) {
    Require(behind->requests() == 0 || behind->between_requests(), "nothing follows a request");
    Require(behind->requests() <= 1, "a connection to the server behind carries one request");
    if (!behind->peer().attached()) continue;
    ++asked;
    computing += behind->with_password();
  }
  Require(asked <= options_.requests_max, "the server behind is asked a few requests at a time");
  if (!options_.admin.web.users.empty())
    Require(computing <= kComputingMax, "passwords never use up all turns");
}

}  // namespace apiquota::fuzz
