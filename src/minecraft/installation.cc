#include "minecraft/installation.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace caravel::minecraft {

Installation find_installation() {
  const char* const given = std::getenv("CARAVEL_WORLDS");
  const std::filesystem::path folder = std::filesystem::path(given == nullptr ? CARAVEL_WORLDS : given) / "minecraft";
  std::error_code unknown;
  Installation found{.folder = std::filesystem::canonical(folder, unknown).string()};
  if (unknown) {
    throw fail<NotFound>("{}: the Minecraft world is not there; CARAVEL_WORLDS says where the folder worlds is",
                         folder.string());
  }
  found.node = std::filesystem::canonical(folder / "node_modules" / ".bin" / "node", unknown).string();
  if (unknown || !std::filesystem::exists(folder / "node_modules" / ".installed-lock.json", unknown)) {
    throw fail<NotFound>("{}: its packages are not installed; {}/install does it, by npm", found.folder, found.folder);
  }
  return found;
}

}  // namespace caravel::minecraft
