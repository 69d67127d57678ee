#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "mini/cell.h"
#include "mini/game.h"

namespace caravel::mini {

/// The arguments of one call, as code wrote them: of any type and size. An object with x, y and z stands for three
/// numbers. Numbers are rounded down to whole ones where those are meant. All throw Refused, naming the argument.
class Arguments {
 public:
  Arguments(std::string_view call, const Json& arguments);

  bool has(size_t i) const { return i < values_.size() && !values_[i].is_null(); }
  double number(size_t i, std::string_view name, double least, double most) const;
  int whole(size_t i, std::string_view name, int least, int most) const;
  int whole_or(size_t i, std::string_view name, int least, int most, int otherwise) const;
  std::string text(size_t i, std::string_view name) const;
  /// Three numbers.
  Cell cell(size_t i) const;
  ItemId item(size_t i, std::string_view name) const;
  /// A name or a list of them.
  std::vector<std::string> names(size_t i, std::string_view name) const;

 private:
  Refused wrong(size_t i, std::string_view name, std::string_view meant) const;

  std::string call_;
  std::vector<Json> values_;
};

ItemId item_asked(std::string_view name);
/// All kinds of that name.
std::vector<Block> blocks_asked(std::string_view name);
/// A creature's, as it is.
Kind kind_asked(std::string_view name);

}  // namespace caravel::mini
