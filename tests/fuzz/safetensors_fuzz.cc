// Any bytes as a safetensors file.
#include "format/safetensors/safetensors_file.h"
#include "fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const caravel::fuzz::MemoryFile file(data, size);
  try {
    const auto opened = caravel::format::SafetensorsFile::open(file.path());
    unsigned sum = 0;
    for (const auto* weights : {&opened.weights, &opened.bytes}) {
      for (const caravel::format::WeightInfo& weight : *weights) {
        const caravel::MappedBytes data = opened.file->map(weight.offset, weight.bytes);
        for (const std::byte byte : data.bytes()) sum += static_cast<unsigned>(byte);
      }
    }
    volatile unsigned used = sum;
    static_cast<void>(used);
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
