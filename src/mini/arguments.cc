#include "mini/arguments.h"

#include <fmt/format.h>

#include <cmath>

#include "base/near_miss.h"
#include "base/printable.h"

namespace caravel::mini {
namespace {

Refused unknown(std::string_view what, std::string_view name, const std::vector<std::string>& names) {
  const std::string near = near_miss(name.substr(0, 64), names);
  return {fmt::format("there is no {} \"{}\"{}", what, printable(name.substr(0, 64)),
                      near.empty() ? "" : fmt::format(": did you mean {}?", near))};
}

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace

Arguments::Arguments(std::string_view call, const Json& arguments) : call_(call) {
  if (!arguments.is_array()) return;
  for (const Json& value : arguments) {
    if (value.is_object() && value.contains("x") && value.contains("y") && value.contains("z"))
      for (const char* axis : {"x", "y", "z"}) values_.push_back(value.at(axis));
    else
      values_.push_back(value);
  }
}

Refused Arguments::wrong(size_t i, std::string_view name, std::string_view meant) const {
  std::string got = "nothing";
  if (has(i))
    got = values_[i].is_number() ? fmt::format("{}", values_[i].get<double>())
                                 : std::string("a ") + values_[i].type_name();
  return {fmt::format("{}: {} (argument {}) has to be {}, but is {}", call_, name, i + 1, meant, got)};
}

double Arguments::number(size_t i, std::string_view name, double least, double most) const {
  if (!has(i) || !values_[i].is_number()) throw wrong(i, name, "a number");
  const auto value = values_[i].get<double>();
  if (!(value >= least && value <= most)) throw wrong(i, name, fmt::format("from {} to {}", least, most));
  return value;
}

int Arguments::whole(size_t i, std::string_view name, int least, int most) const {
  if (!has(i) || !values_[i].is_number()) throw wrong(i, name, "a number");
  const double value = std::floor(values_[i].get<double>());
  if (!(value >= least && value <= most)) throw wrong(i, name, fmt::format("from {} to {}", least, most));
  return static_cast<int>(value);
}

int Arguments::whole_or(size_t i, std::string_view name, int least, int most, int otherwise) const {
  return has(i) ? whole(i, name, least, most) : otherwise;
}

std::string Arguments::text(size_t i, std::string_view name) const {
  if (!has(i) || !values_[i].is_string()) throw wrong(i, name, "a string");
  return values_[i].get<std::string>();
}

Cell Arguments::cell(size_t i) const {
  constexpr int kFar = 2 * kEnd;  // beyond the world's ends, of which who acts there is told
  return {whole(i, "x", -kFar, kFar), whole(i + 1, "y", -kFar, kFar), whole(i + 2, "z", -kFar, kFar)};
}

ItemId Arguments::item(size_t i, std::string_view name) const { return item_asked(text(i, name)); }

std::vector<std::string> Arguments::names(size_t i, std::string_view name) const {
  if (has(i) && values_[i].is_string()) return {values_[i].get<std::string>()};
  if (!has(i) || !values_[i].is_array()) throw wrong(i, name, "a name or a list of names");
  std::vector<std::string> names;
  for (const Json& each : values_[i]) {
    if (!each.is_string() || names.size() >= 64) throw wrong(i, name, "a name or a list of at most 64 names");
    names.push_back(each.get<std::string>());
  }
  return names;
}

ItemId item_asked(std::string_view name) {
  if (const std::optional<ItemId> item = item_named(name)) return *item;
  throw unknown("item", name, names_of(items()));
}

std::vector<Block> blocks_asked(std::string_view name) {
  std::vector<Block> kinds;
  for (size_t i = 0; i < blocks().size(); ++i)
    if (blocks()[i].name == name) kinds.push_back(static_cast<Block>(i));
  if (kinds.empty()) throw unknown("block", name, names_of(blocks()));
  return kinds;
}

Kind kind_asked(std::string_view name) {
  if (const std::optional<Kind> kind = kind_named(name)) return *kind;
  std::vector<std::string> names;
  for (int i = 0; i < kKinds; ++i) names.emplace_back(info(static_cast<Kind>(i)).name);
  throw unknown("creature", name, names);
}

}  // namespace caravel::mini
