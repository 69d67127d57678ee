// Encodes texts with a model's vocabulary, for bench/peers/tokenizer_check.py and random_tokenizers.py to compare with
// others.
//   tokenizer_check FILE.gguf|FOLDER < texts.jsonl > ids.jsonl
// A line in is a JSON string; a line out is {"ids": [...], "with_special": [...], "text": what the ids decode to,
// "shown": the same without special tokens}. A line of ids gives the last two. Speed goes to stderr.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "caravel/tokenizer.h"
#include "format/gguf/gguf_file.h"
#include "format/gguf/gguf_tokenizer.h"
#include "format/hf/tokenizer_json.h"
#include "text/tokenizer_data.h"

namespace {

// A folder is one with a tokenizer.json.
caravel::TokenizerData read_tokenizer(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    const std::string file = path + "/tokenizer.json";
    return caravel::format::read_tokenizer_json(caravel::read_file(file), file);
  }
  return caravel::format::read_gguf_tokenizer(caravel::format::GgufFile::open(path).metadata);
}

nlohmann::json decoded(const caravel::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  return {{"text", tokenizer.decode(ids, false)}, {"shown", tokenizer.decode(ids, true)}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: tokenizer_check FILE.gguf|FOLDER < texts.jsonl > ids.jsonl\n");
    return 2;
  }
  try {
    const caravel::Tokenizer tokenizer(read_tokenizer(argv[1]));
    size_t bytes = 0;
    double seconds = 0;
    for (std::string line; std::getline(std::cin, line);) {
      const auto input = nlohmann::json::parse(line);
      if (input.is_array()) {
        std::cout << decoded(tokenizer, input.get<std::vector<int32_t>>()).dump() << '\n';
        continue;
      }
      const auto text = input.get<std::string>();
      const auto start = std::chrono::steady_clock::now();
      const auto ids = tokenizer.encode(text, {.add_special = false});
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      bytes += text.size();
      nlohmann::json output = decoded(tokenizer, ids);
      output["ids"] = ids;
      output["with_special"] = tokenizer.encode(text);
      std::cout << output.dump() << '\n';
    }
    fmt::print(stderr, "{} bytes in {:.3f} s: {:.1f} MB/s\n", bytes, seconds,
               static_cast<double>(bytes) / seconds / 1e6);
  } catch (const caravel::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
