#include <gmock/gmock.h>

#include "sandbox/own_child.h"

// Its children run in the sandbox of the program that they are tests of.
int main(int argc, char** argv) {
  if (const auto status = caravel::sandbox::own_child_main(argc, argv)) return *status;
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
