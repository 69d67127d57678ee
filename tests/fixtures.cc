#include "fixtures.h"

namespace caravel::tests {

std::string source_dir() { return CARAVEL_SOURCE_DIR; }
std::string fixtures() { return source_dir() + "/tests/fixtures"; }

}  // namespace caravel::tests
