#include "minecraft/installation.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"

namespace caravel::minecraft {
namespace {

std::filesystem::path find_worlds() {
  const char* const given = std::getenv("CARAVEL_WORLDS");
  if (given != nullptr && *given != '\0') return given;
  std::error_code unknown;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  std::filesystem::path installed = (program.parent_path() / CARAVEL_WORLDS_FROM_PROGRAM).lexically_normal();
  return std::filesystem::is_directory(installed, unknown) ? installed : CARAVEL_WORLDS;
}

}  // namespace

Installation find_installation() {
  const std::filesystem::path folder = find_worlds() / "minecraft";
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

std::vector<std::string> Installation::command(const char* name, const std::vector<std::string>& words) const {
  // By its own setting of 16 MiB a third of what Node takes is garbage that is young.
  std::vector<std::string> command = {node, "--max-semi-space-size=2", script(name)};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

}  // namespace caravel::minecraft
