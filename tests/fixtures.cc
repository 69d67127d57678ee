#include "fixtures.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace caravel::tests {

std::string source_dir() {
  const char* const elsewhere = std::getenv("CARAVEL_SOURCE_DIR");
  return elsewhere == nullptr ? CARAVEL_SOURCE_DIR : elsewhere;
}
std::string fixtures() { return source_dir() + "/tests/fixtures"; }

std::string model_fixture(const std::string& name) { return fixtures() + "/models/" + name; }

std::string temporary_path(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("caravel-" + std::to_string(::getpid()) + "-" + name);
}

}  // namespace caravel::tests
