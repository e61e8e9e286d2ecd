// What an answer from memory says of itself to one client: nothing of quotas. Figures of a moment that has
// passed are worse than none: a client that finds "0 remaining" in them stops, one that finds 4,000 goes on.
// Clients are told to leave such fields alone in answers with an Age (draft-ietf-httpapi-ratelimit-headers),
// and most don't. Pure.
#pragma once

#include "http/fields.h"
#include "provider/exporter.h"

namespace apiquota::proxy {

// Of an answer that is about to be remembered.
void ForgetQuotas(const provider::Exporter& exporter, http::Fields* fields);
// Of one that is about to be sent to the client for whom a 304 has confirmed it: what that says of quotas,
// and its cookies where the answer has none.
void AddConfirmed(const provider::Exporter& exporter, const http::Fields& confirmed, http::Fields* fields);

}  // namespace apiquota::proxy
