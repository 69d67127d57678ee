#include "format/gguf/gguf_source.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "format/gguf/gguf_file.h"
#include "format/gguf/gguf_tokenizer.h"
#include "format/weight_table.h"

namespace caravel::format {
namespace {

class GgufSource final : public WeightSource {
 public:
  GgufSource(std::string path, std::vector<GgufFile> files)
      : path_(std::move(path)), files_(std::move(files)), config_(files_.front().metadata.to_json()) {
    for (GgufFile& file : files_) {
      for (WeightInfo& weight : file.weights) table_.add(std::move(weight));
      file.weights.clear();
    }
    tokenizer_ = read_gguf_tokenizer(files_.front().metadata);
    generation_ = read_gguf_generation(files_.front().metadata, tokenizer_);
  }

  const std::string& path() const override { return path_; }
  Convention convention() const override { return Convention::kGguf; }
  const nlohmann::json& config() const override { return config_; }
  const WeightInfo* find(std::string_view name) const override { return table_.find(name); }
  std::span<const WeightInfo> weights() const override { return table_.weights(); }
  const TokenizerData& tokenizer() const override { return tokenizer_; }
  const GenerationDefaults& generation_defaults() const override { return generation_; }
  void release_pages(const WeightInfo& weight) const override { release_mapped_pages(weight.data); }

 private:
  std::string path_;
  std::vector<GgufFile> files_;
  nlohmann::json config_;
  WeightTable table_;
  TokenizerData tokenizer_;
  GenerationDefaults generation_;
};

// "a/b-00001-of-00003.gguf" -> "a/b"; none where the name is not of that kind.
std::optional<std::string> split_prefix(const std::string& path, int64_t part, int64_t parts) {
  const std::string ending = fmt::format("-{:05}-of-{:05}.gguf", part + 1, parts);
  return path.ends_with(ending) ? std::optional(path.substr(0, path.size() - ending.size())) : std::nullopt;
}

// The other parts of a split file, after `files`' first.
void open_other_parts(const std::string& path, std::vector<GgufFile>& files) {
  constexpr int64_t kMostParts = 99'999;  // what five digits can say
  const GgufMetadata& first = files.front().metadata;
  const int64_t parts = first.integer("split.count").value_or(1);
  if (parts <= 1) return;
  const int64_t number = first.integer("split.no").value_or(0);
  if (parts > kMostParts || number < 0 || number >= parts) {
    throw fail<FormatError>("{}: split.no {} and split.count {} make no sense", path, number, parts);
  }
  const std::optional<std::string> prefix = split_prefix(path, number, parts);
  if (number != 0) {
    const std::string other = prefix ? fmt::format("{}-00001-of-{:05}.gguf", *prefix, parts) : "the first part";
    throw fail<InvalidArgument>("{}: part {} of {}; give {}", path, number + 1, parts, other);
  }
  if (!prefix) {
    throw fail<FormatError>(
        "{}: the first of {} parts, but its name does not end with -00001-of-{:05}.gguf, so the others "
        "cannot be found",
        path, parts, parts);
  }
  const std::optional<int64_t> expected = first.integer("split.tensors.count");
  size_t tensors = files.front().weights.size();
  for (int64_t i = 1; i < parts; ++i) {
    const std::string part = fmt::format("{}-{:05}-of-{:05}.gguf", *prefix, i + 1, parts);
    GgufFile file = GgufFile::open(part);
    if (file.metadata.integer("split.no") != i || file.metadata.integer("split.count") != parts) {
      throw fail<FormatError>("{}: should be part {} of {}, by its metadata it is not", part, i + 1, parts);
    }
    tensors += file.weights.size();
    files.push_back(std::move(file));
  }
  if (expected && static_cast<uint64_t>(*expected) != tensors) {
    throw fail<FormatError>("{}: its {} parts should hold {} tensors together, they hold {}", path, parts, *expected,
                            tensors);
  }
}

}  // namespace

std::unique_ptr<WeightSource> open_gguf(const std::string& path) {
  std::vector<GgufFile> files;
  files.push_back(GgufFile::open(path));
  open_other_parts(path, files);
  return std::make_unique<GgufSource>(path, std::move(files));
}

}  // namespace caravel::format
