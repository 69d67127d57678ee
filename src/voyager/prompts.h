#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "voyager/model.h"

namespace caravel::voyager {

/// What stands for the {names} in a prompt's parts.
using Fillings = std::map<std::string, std::string, std::less<>>;

/// The prompts of all roles, each a file of components (docs/prompting.md) named after its role ("action.yaml"), with
/// {names} where what is known at the time comes in. Those of the program, or of a folder where a person has edited
/// some of them.
class Prompts {
 public:
  /// The program's own.
  Prompts();
  /// Files of `folder` in place of the program's; what it has no file for stays. Throws NotFound, FormatError (with
  /// file and line: no components, a {name} that the role does not know), InvalidArgument (a file of no role's name).
  explicit Prompts(const std::string& folder);

  /// As messages of a chat. fillings: every name that the role knows.
  std::vector<Message> render(Role role, const Fillings& fillings) const;

  /// Writes the program's own files to `folder`, for editing. Throws IoError, InvalidArgument (a file of that name is
  /// there).
  static void write_files(const std::string& folder);

 private:
  std::map<Role, std::string> files_;
};

}  // namespace caravel::voyager
