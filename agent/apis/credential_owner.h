// What of a credential identifies its owner, where that is not all of it: a signed request carries another
// signature each time, and Basic may hold a token beside any user. Told by the authentication scheme, for
// every API alike; what is not certain is no owner, and the whole credential counts. Pure; thread-safe.
//
//   Credential=ID/date/region/…     AWS Signature Version 4 and 4A, Google's GOOG4, Alibaba Cloud's,
//                                   Tencent Cloud's, Azure App Configuration's: ID
//   AWS ID:signature                Signature Version 2 and its kind, Azure's SharedKey: ID
//   OAuth oauth_consumer_key=…      RFC 5849: consumer key and token
//   Digest username=…               RFC 7616: user and realm
//   Signature keyId=…, Hawk id=…    drafts of HTTP Signatures, Hawk, and others that name one id
//   ?X-Amz-Credential=ID/…          likewise in the query of a presigned URL
//   Signature-Input: …;keyid=…      RFC 9421, which has fields of its own
//
// A JSON Web Token is opaque unless the API's file says which claim names its owner: an issuer speaks for all
// it issues tokens to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "provider/exporter.h"

namespace apiquota::apis {

struct Owner {
  std::string_view piece;      // of the credential as it stands
  std::optional<Secret> made;  // where it is no piece of it: two pieces, or decoded

  std::string_view text() const { return made ? made->Reveal() : piece; }
};

// Of a field's whole value, with its scheme; nothing if it is no signed request's.
std::optional<Owner> SignerOf(std::string_view field_value);

// Of a message signed by RFC 9421: the key of its first signature that names one.
std::optional<Owner> SignerOfMessage(std::string_view signature_input);

// Of a signed request whose signature stands in its query.
std::optional<Owner> SignerOfQuery(std::string_view query);

// A parameter's value as it stands: decoded.
Owner OwnerOfParameter(std::string_view value);

// The token of what Basic encodes, as the rule says; of what is no Basic, all of it.
Owner TokenOfBasic(std::string_view encoded, const provider::CredentialRule& rule);

// What a JSON Web Token claims at the top (RFC 7519 4); of what is none, or claims no such thing, all of it.
Owner ClaimOf(std::string_view token, const std::string& claim);

}  // namespace apiquota::apis
