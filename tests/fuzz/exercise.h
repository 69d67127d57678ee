#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "caravel/tokenizer.h"
#include "format/weight_source.h"
#include "text/tokenizer_data.h"

namespace caravel::fuzz {

/// The input as a file without a disk: opened by its path while the object lives.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(::memfd_create("input", 0)) {
    if (fd_ < 0 || ::write(fd_, data, size) != static_cast<ssize_t>(size)) std::abort();
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

/// Reads every byte that the weights claim to have, and lets the tokenizer, where there is one, do a round trip.
inline void exercise_tokenizer(const TokenizerData& data) {
  if (data.tokens.empty()) return;
  const Tokenizer tokenizer(data);
  const std::vector<int32_t> ids = tokenizer.encode("The caravel's 3 masts\n \xC3\xA9\xFF <|im_end|></s>");
  for (const int32_t id : ids) {
    if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
  }
  tokenizer.decode(ids, false);
}

inline void exercise_source(const format::WeightSource& source) {
  unsigned sum = 0;
  const auto read = [&](const format::WeightInfo& weight) {
    const MappedBytes data = source.map(weight);
    for (const std::byte byte : data.bytes()) sum += static_cast<unsigned>(byte);
  };
  for (const format::WeightInfo& weight : source.weights()) {
    read(weight);
    if (weight.scale != nullptr) read(*weight.scale);
    if (source.find(weight.name) != &weight) std::abort();
  }
  volatile unsigned used = sum;
  static_cast<void>(used);
  source.config().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  exercise_tokenizer(source.tokenizer());
}

}  // namespace caravel::fuzz
