#pragma once

#include <string>

namespace caravel::tests {

// Where this checkout lies (the environment's CARAVEL_SOURCE_DIR says so on another machine), and its tests/fixtures.
// Functions of one source file: a compiler's cache serves the objects of all others to every checkout.
std::string source_dir();
std::string fixtures();
/// A tiny model of tests/fixtures/models.
std::string model_fixture(const std::string& name);
/// A path for temporary files that no other process has: tests run beside each other.
std::string temporary_path(const std::string& name);

}  // namespace caravel::tests
