#include "proxy/remembered_head.h"

#include <utility>

#include "base/text.h"
#include "provider/quota_headers.h"

namespace apiquota::proxy {
namespace {

bool AnyTellsQuota(const provider::Exporter& exporter, const http::Fields& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (provider::TellsQuota(exporter, fields[i].name)) return true;
  }
  return false;
}

void DropQuotas(const provider::Exporter& exporter, http::Fields* fields) {
  if (!AnyTellsQuota(exporter, *fields)) return;
  http::Fields rest;
  for (size_t i = 0; i < fields->size(); ++i) {
    const http::FieldView field = (*fields)[i];
    if (!provider::TellsQuota(exporter, field.name)) rest.Add(field.name, field.value);
  }
  *fields = std::move(rest);
}

}  // namespace

void ToldNow(const provider::Exporter& exporter, const http::ResponseHead* confirmed,
             http::ResponseHead* head) {
  DropQuotas(exporter, &head->fields);
  if (confirmed == nullptr) return;
  const bool has_cookies = head->fields.Find("set-cookie").has_value();
  for (size_t i = 0; i < confirmed->fields.size(); ++i) {
    const http::FieldView field = confirmed->fields[i];
    const bool cookie = !has_cookies && EqualsIgnoreCase(field.name, "set-cookie");
    if (cookie || provider::TellsQuota(exporter, field.name)) head->fields.Add(field.name, field.value);
  }
}

}  // namespace apiquota::proxy
