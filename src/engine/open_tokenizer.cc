#include "engine/open_tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "caravel/tokenizer.h"
#include "format/model_path.h"

namespace caravel {
namespace engine {

TokenizerData tokenizer_data(const format::WeightSource& source, AddBos add_bos) {
  TokenizerData data = source.tokenizer();
  if (add_bos == AddBos::kAuto) return data;
  const bool wanted = add_bos == AddBos::kYes;
  if (wanted && !data.bos_id) {
    throw fail<InvalidArgument>("add_bos_token: {} has no beginning-of-sequence token", source.path());
  }
  if (!data.bos_id) return data;
  const bool there = std::ranges::find(data.prefix_ids, *data.bos_id) != data.prefix_ids.end();
  if (wanted && !there) data.prefix_ids.insert(data.prefix_ids.begin(), *data.bos_id);
  if (!wanted) std::erase(data.prefix_ids, *data.bos_id);
  data.bos_in_chats = wanted && source.convention() == format::Convention::kGguf;
  return data;
}

}  // namespace engine

std::unique_ptr<Tokenizer> open_tokenizer(const EngineConfig& config) {
  const auto source = format::open_model(format::resolve_model(config.model));
  return std::make_unique<Tokenizer>(engine::tokenizer_data(*source, config.add_bos_token));
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& model) {
  return open_tokenizer(EngineConfig{.model = model});
}

}  // namespace caravel
