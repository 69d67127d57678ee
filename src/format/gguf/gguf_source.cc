#include "format/gguf/gguf_source.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "format/gguf/gguf_file.h"
#include "format/gguf/gguf_tokenizer.h"
#include "format/mapped_source.h"

namespace caravel::format {
namespace {

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

  MappedSource source = {.path = path, .convention = Convention::kGguf};
  for (GgufFile& file : files) source.add(std::move(file.file), std::move(file.weights));
  const GgufMetadata& metadata = files.front().metadata;
  source.config = metadata.to_json();
  source.tokenizer = read_gguf_tokenizer(metadata);
  source.generation = read_gguf_generation(metadata, source.tokenizer);
  return make_source(std::move(source));
}

}  // namespace caravel::format
