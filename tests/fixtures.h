#pragma once

#include <string>

namespace caravel::tests {

// Where this checkout lies, and its tests/fixtures. Functions of one source file: a compiler's cache serves the objects
// of all others to every checkout.
std::string source_dir();
std::string fixtures();

}  // namespace caravel::tests
