#pragma once

#include <string>
#include <vector>

namespace caravel::minecraft {

/// Where the JavaScript of this world lies (worlds/minecraft), and the Node that runs it.
struct Installation {
  std::string folder;
  std::string node;

  std::string script(const char* name) const { return folder + "/" + name; }
  /// That runs a script of it with these words.
  std::vector<std::string> command(const char* name, const std::vector<std::string>& words) const;
};

/// $CARAVEL_WORLDS/minecraft, else what was installed with this program, else beside the sources that it was built of.
/// Throws NotFound where it is not, or its packages are not installed: what to do.
Installation find_installation();

}  // namespace caravel::minecraft
