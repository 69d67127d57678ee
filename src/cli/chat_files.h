#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fields/json.h"

namespace caravel::cli {

/// "~" and "~/..." with the home directory in place of the tilde; other names as they are.
std::string expand_home(const std::string& path);

/// The paths that begin so, folders with a slash behind them.
std::vector<std::string> paths_beginning(const std::string& begun);

/// "a b.json" without the quotes around it, double or single, that a shell would take away; other names as they are.
std::string unquoted(const std::string& path);

/// Writes the messages as a JSON array, one that load_messages() and `messages` of a request take. A file that is there
/// is replaced as a whole. Throws IoError, and InvalidArgument where that file holds something else.
void save_messages(const std::string& path, const Json& messages);

/// Throws NotFound and IoError, and InvalidArgument, with the file's name, where it is no such array or has no message.
Json load_messages(const std::string& path);

/// The text as $VISUAL, else $EDITOR, else vi leaves it. Throws IoError where the editor fails, or where there is no
/// place for the file between them.
std::string compose(const std::string& text);

}  // namespace caravel::cli
