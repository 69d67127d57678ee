#pragma once

#include <string>
#include <string_view>

namespace caravel::cli {

/// What people bring from the command lines of other engines, and what it is here.
struct Hint {
  std::string_view name;      // without dashes, words parted by hyphens
  std::string_view use = {};  // the flag that does the same; empty: none does
  std::string_view note;      // more about it
};

/// nullptr: no other engine that we know has a flag of that name, as it is written or with _ for -.
const Hint* flag_hint(std::string name);

/// What to do instead of a command that there is not, such as "pull". Empty: none that we know.
std::string_view command_hint(std::string_view name);

}  // namespace caravel::cli
