#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "fields/json.h"
#include "text/prompt_components.h"
#include "voyager/model.h"

namespace caravel::voyager {

/// What stands for the {names} in a prompt's parts.
using Fillings = std::map<std::string, std::string, std::less<>>;

/// The prompts of all roles, each a file of components (docs/prompting.md) named after its role ("action.yaml"), with
/// {names} where what is known at the time comes in: lower-case letters and '_' alone in braces; all other braces, as
/// those of code and JSON, stand for themselves, and {{name}} for {name}. Those of the program, or of a folder where a
/// person has edited some of them.
class Prompts {
 public:
  /// The program's own.
  Prompts();
  /// Files of `folder` in place of the program's; what it has no file for stays. Throws NotFound, FormatError (with
  /// file and line: no components, a {name} that the role does not know), InvalidArgument (a file of no role's name).
  explicit Prompts(const std::string& folder);

  /// As a run's record keeps them: {"action": the file's text, ...}. from(): throws FormatError.
  Json to_json() const;
  static Prompts from(const Json& json);

  /// As messages of a chat. fillings: every name that the role knows.
  std::vector<Message> render(Role role, const Fillings& fillings) const;

  /// Writes the program's own files to `folder`, for editing. Throws IoError, InvalidArgument (a file of that name is
  /// there).
  static void write_files(const std::string& folder);

 private:
  struct File {
    std::string text;
    text::PromptComponents components;
  };
  void take(Role role, std::string text, const std::string& source);

  std::map<Role, File> files_;
};

}  // namespace caravel::voyager
