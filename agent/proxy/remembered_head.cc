#include "proxy/remembered_head.h"

#include <utility>

#include "base/text.h"
#include "provider/quota_headers.h"

namespace apiquota::proxy {

void ForgetQuotas(const provider::Exporter& exporter, http::Fields* fields) {
  http::Fields rest;
  for (size_t i = 0; i < fields->size(); ++i) {
    const http::FieldView field = (*fields)[i];
    if (!provider::TellsQuota(exporter, field.name)) rest.Add(field.name, field.value);
  }
  *fields = std::move(rest);
}

void AddConfirmed(const provider::Exporter& exporter, const http::Fields& confirmed, http::Fields* fields) {
  const bool has_cookies = fields->Find("set-cookie").has_value();
  for (size_t i = 0; i < confirmed.size(); ++i) {
    const http::FieldView field = confirmed[i];
    const bool cookie = !has_cookies && EqualsIgnoreCase(field.name, "set-cookie");
    if (cookie || provider::TellsQuota(exporter, field.name)) fields->Add(field.name, field.value);
  }
}

}  // namespace apiquota::proxy
