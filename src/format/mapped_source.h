#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "caravel/request.h"
#include "format/weight_source.h"
#include "format/weight_table.h"
#include "text/tokenizer_data.h"

namespace caravel::format {

/// What a reader of one kind of file fills in; make_source answers for it.
struct MappedSource {
  std::string path;
  Convention convention = Convention::kGguf;
  nlohmann::json config;
  std::vector<std::shared_ptr<const File>> files;
  WeightTable weights;  // of `files`
  TokenizerData tokenizer;
  GenerationDefaults generation;
  SentenceModules sentence_modules;

  /// Throws FormatError where a weight's name is there already.
  void add(std::shared_ptr<const File> file, std::vector<WeightInfo> of_file);
};

std::unique_ptr<WeightSource> make_source(MappedSource source);

}  // namespace caravel::format
