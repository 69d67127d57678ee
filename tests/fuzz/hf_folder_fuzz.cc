// Any bytes as one of the small files of a Hugging Face folder, or as the header of its weights; the first byte chooses
// which.
#include <filesystem>
#include <iterator>

#include "format/temp_folder.h"
#include "fuzz/exercise.h"

namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kWhole = "model.safetensors";
constexpr const char* kNames[] = {
    "config.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja", kIndex, "tokenizer.json",
    kWhole};
constexpr const char* kTokenizer =
    R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<s>":3},"merges":["a b"]},"added_tokens":[],)"
    R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})";
constexpr const char* kWeights = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";

std::string safetensors(std::string_view header, size_t data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8).append(header).append(data, '\0');
}

// A folder that opens, made for every input: nothing of the one before is left.
const caravel::format::TempFolder& fresh_folder() {
  static const caravel::format::TempFolder folder;
  for (const char* name : kNames) fs::remove(folder.path() / name);
  folder.write("config.json", "{}");
  folder.write("tokenizer.json", kTokenizer);
  folder.write("shard", safetensors(kWeights, 4));
  folder.write(kIndex, R"({"weight_map":{"w":"shard"}})");
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const caravel::format::TempFolder& folder = fresh_folder();
  const char* name = kNames[data[0] % std::size(kNames)];
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (name == kWhole) {
    fs::remove(folder.path() / kIndex);
    folder.write(name, safetensors(content, 4096));
  } else {
    folder.write(name, content);
  }
  try {
    caravel::fuzz::exercise_source(*caravel::format::open_weights(folder.path().string()));
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
