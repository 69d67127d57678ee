// Files cut short or with bytes changed are opened or refused with an Error; run under the sanitizers, where reading
// outside of the file would show.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "fixtures.h"
#include "format/weight_source.h"
#include "temp_folder.h"

namespace caravel::format {
namespace {

// Touches the ends of every weight, which is where a wrong length shows. Returns whether the path opens.
bool opens(const std::string& path) {
  try {
    const auto source = open_weights(path);
    const auto touch = [&](const WeightInfo& weight) {
      const MappedBytes data = source->map(weight);
      if (data.bytes().empty()) return;
      volatile std::byte end = data.bytes().front();
      end = data.bytes().back();
      static_cast<void>(end);
    };
    for (const WeightInfo& weight : source->weights()) {
      touch(weight);
      if (weight.scale != nullptr) touch(*weight.scale);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string mutated(std::string bytes, size_t header, std::mt19937_64& random) {
  static constexpr uint64_t kInteresting[] = {0,          1,          0x7F,         0xFF,
                                              0x7FFFFFFF, 0xFFFFFFFF, ~uint64_t{0}, uint64_t{1} << 62};
  const int changes = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < changes; ++i) {
    const size_t place = random() % header;
    if (random() % 2 == 0) {
      bytes[place] = static_cast<char>(random());
    } else {
      const uint64_t value = kInteresting[random() % std::size(kInteresting)];
      const size_t width = std::min<size_t>(size_t{1} << (random() % 4), bytes.size() - place);
      bytes.replace(place, width, reinterpret_cast<const char*>(&value), width);
    }
  }
  return bytes;
}

TEST(Corruption, AGgufFileCutAnywhereIsRefused) {
  const std::string whole = read_file(tests::model_fixture("qwen2.gguf"));
  const TempFolder folder;
  const size_t header = whole.size() - 118'000;  // what stands before the tensors' data, about
  for (size_t size = 1; size < whole.size(); size += size < 256 ? 1 : size < header ? 61 : 9973) {
    ASSERT_FALSE(opens(folder.write("cut.gguf", std::string_view(whole).substr(0, size)))) << size << " bytes";
  }
  EXPECT_TRUE(opens(folder.write("cut.gguf", whole)));
}

TEST(Corruption, ChangedBytesOfAGgufFileNeverCrash) {
  const TempFolder folder;
  std::mt19937_64 random(1);
  int refused = 0;
  for (const char* name : {"gpt2.gguf", "llama.gguf", "weights.gguf"}) {
    const std::string whole = read_file(tests::source_dir() + "/tests/fuzz/seeds/gguf/" + name);
    ASSERT_TRUE(opens(folder.write("changed.gguf", whole)));
    for (int i = 0; i < 1500; ++i) {
      refused += opens(folder.write("changed.gguf", mutated(whole, whole.size(), random))) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 1500) << "the changes should hit what matters";
}

TEST(Corruption, ChangedBytesOfASafetensorsFileNeverCrash) {
  const TempFolder folder;
  folder.write("config.json", "{}");
  std::string whole;
  uint64_t header = 0;
  std::mt19937_64 random(2);
  // The first has blocks and scales of MXFP4.
  for (const auto& [file, times] : {std::pair("gpt_oss/model.safetensors", 300),
                                    std::pair("llama_linear/model-00003-of-00003.safetensors", 1500)}) {
    whole = read_file(tests::model_fixture(file));
    std::memcpy(&header, whole.data(), sizeof header);
    int refused = 0;
    for (int i = 0; i < times; ++i) {
      folder.write("model.safetensors", mutated(whole, header, random));
      refused += opens(folder.path().string()) ? 0 : 1;
    }
    EXPECT_GT(refused, times / 3) << file;
  }
  for (size_t size = 1; size < whole.size(); size += size < 2 * header ? 7 : 701) {
    folder.write("model.safetensors", std::string_view(whole).substr(0, size));
    ASSERT_FALSE(opens(folder.path().string())) << size << " bytes";
  }
}

TEST(Corruption, ChangedBytesOfTheSmallFilesNeverCrash) {
  const TempFolder folder;
  const std::filesystem::path from = tests::model_fixture("qwen2");
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    if (!entry.path().filename().string().starts_with("golden")) {
      std::filesystem::copy_file(entry.path(), folder.path() / entry.path().filename());
    }
  }
  ASSERT_TRUE(opens(folder.path().string()));
  std::mt19937_64 random(3);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json"}) {
    const std::string whole = read_file((from / name).string());
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
      folder.write(name, mutated(whole, whole.size(), random));
      refused += opens(folder.path().string()) ? 0 : 1;
    }
    EXPECT_GT(refused, 30) << name;
    folder.write(name, whole);
  }
}

}  // namespace
}  // namespace caravel::format
