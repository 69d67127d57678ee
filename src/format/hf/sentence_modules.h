#pragma once

#include <filesystem>

#include "format/weight_source.h"

namespace caravel::format {

/// modules.json, the pooling's config.json and sentence_bert_config.json of a folder; without a modules.json nothing is
/// given. Throws FormatError, IoError.
SentenceModules read_sentence_modules(const std::filesystem::path& folder);

}  // namespace caravel::format
