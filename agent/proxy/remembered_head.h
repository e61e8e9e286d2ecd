// What an answer from memory says of itself to one client: nothing of quotas. Figures of a moment that has
// passed are worse than none: a client that finds "0 remaining" in them stops, one that finds 4,000 goes on.
// Clients are told to leave such fields alone in answers with an Age (draft-ietf-httpapi-ratelimit-headers),
// and most don't. Pure.
#pragma once

#include "http/codec.h"
#include "provider/exporter.h"

namespace apiquota::proxy {

// `head` is about to be sent. `confirmed` (null: none): the 304 by which it was confirmed for this very
// client, who is told what that says of quotas, and given its cookies where `head` has none.
void ToldNow(const provider::Exporter& exporter, const http::ResponseHead* confirmed,
             http::ResponseHead* head);

}  // namespace apiquota::proxy
