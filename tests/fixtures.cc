#include "fixtures.h"

namespace caravel::tests {

std::string source_dir() { return CARAVEL_SOURCE_DIR; }
std::string fixtures() { return source_dir() + "/tests/fixtures"; }

std::string model_fixture(const std::string& name) { return fixtures() + "/models/" + name; }

}  // namespace caravel::tests
