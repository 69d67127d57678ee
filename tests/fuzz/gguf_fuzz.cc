// Any bytes as a GGUF file: opened, or refused with an Error; never a crash, a leak or an unbounded allocation.
#include "fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const caravel::fuzz::MemoryFile file(data, size);
  try {
    caravel::fuzz::exercise_source(*caravel::format::open_weights(file.path()));
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
