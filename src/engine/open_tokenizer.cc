#include "caravel/tokenizer.h"
#include "format/model_path.h"
#include "format/weight_source.h"

namespace caravel {

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& model) {
  return std::make_unique<Tokenizer>(format::open_model(format::resolve_model(model))->tokenizer());
}

}  // namespace caravel
