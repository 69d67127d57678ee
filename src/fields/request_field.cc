#include "fields/request_field.h"

#include <algorithm>

namespace caravel {

std::string_view RequestField::outer() const {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view RequestField::own_name() const { return is_inner() ? name.substr(name.find('.') + 1) : name; }

std::optional<double> RequestField::default_on(Surface surface) const {
  for (const Default& exception : exceptions) {
    if (exception.surfaces.has(surface)) return exception.value;
  }
  return otherwise;
}

std::string RequestField::flag_names() const {
  if (!flag.empty()) return std::string(flag);
  std::string names = "--" + std::string(name);
  std::ranges::replace(names, '_', '-');
  return names;
}

const RequestField* find_field(std::string_view name, Surface surface) {
  for (const RequestField& field : request_fields()) {
    if (field.surfaces.has(surface) && field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace caravel
