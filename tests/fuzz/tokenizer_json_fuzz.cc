// Any text as a tokenizer.json; what is read must make a tokenizer that works, or that refuses.
#include "format/hf/tokenizer_json.h"
#include "fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    caravel::fuzz::exercise_tokenizer(caravel::format::read_tokenizer_json(text, "tokenizer.json"));
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
