#pragma once

#include <string>

namespace caravel::minecraft {

/// Where the JavaScript of this world lies (worlds/minecraft), and the Node that runs it.
struct Installation {
  std::string folder;
  std::string node;

  std::string script(const char* name) const { return folder + "/" + name; }
};

/// $CARAVEL_WORLDS/minecraft, else what was installed with this program, else beside the sources that it was built of.
/// Throws NotFound where it is not, or its packages are not installed: what to do.
Installation find_installation();

}  // namespace caravel::minecraft
