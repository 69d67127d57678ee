#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "format/weight_source.h"

namespace caravel::format {

/// One safetensors file, of which the header alone is read.
struct SafetensorsFile {
  std::shared_ptr<const File> file;
  std::vector<WeightInfo> weights;  // in the order of their data
  std::vector<WeightInfo> bytes;  // tensors of plain bytes (U8), which others know the meaning of: their dtype has none

  /// Every offset is checked against the file and against shape times type before it is used. Throws NotFound, IoError,
  /// FormatError (a name that is there twice, bytes of two tensors or of none as well), Unsupported (a tensor's type,
  /// by name; Caravel reads F32, F16, BF16 and F8_E4M3, whose scales are other tensors, and U8).
  static SafetensorsFile open(const std::string& path);
};

}  // namespace caravel::format
