#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "format/gguf/gguf_metadata.h"
#include "format/weight_source.h"

namespace caravel::format {

/// One GGUF file (version 2 or 3, little-endian), of which the header alone is read.
struct GgufFile {
  std::shared_ptr<const File> file;
  MappedBytes header;  // what `metadata` points into
  GgufMetadata metadata;
  std::vector<WeightInfo> weights;  // in the file's order

  /// Everything that the header says is checked against the file's size before it is used. Throws NotFound, IoError,
  /// FormatError, Unsupported (a version, or a tensor's type, by name).
  static GgufFile open(const std::string& path);
};

}  // namespace caravel::format
