#include "engine/open_tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "caravel/tokenizer.h"
#include "engine/loaded_model.h"

namespace caravel {
namespace engine {

namespace {

bool has_bos_first(const TokenizerData& data) {
  return data.bos_id && std::ranges::find(data.prefix_ids, *data.bos_id) != data.prefix_ids.end();
}

}  // namespace

bool puts_bos_first(const format::WeightSource& source, AddBos add_bos) {
  const TokenizerData& data = source.tokenizer();
  if (add_bos == AddBos::kYes && !data.bos_id) {
    throw fail<InvalidArgument>("add_bos_token: {} has no beginning-of-sequence token", source.path());
  }
  return add_bos == AddBos::kAuto ? has_bos_first(data) : add_bos == AddBos::kYes;
}

TokenizerData tokenizer_data(const format::WeightSource& source, AddBos add_bos) {
  const bool wanted = puts_bos_first(source, add_bos);
  TokenizerData data = source.tokenizer();
  if (add_bos == AddBos::kAuto || !data.bos_id) return data;
  if (wanted && !has_bos_first(data)) data.prefix_ids.insert(data.prefix_ids.begin(), *data.bos_id);
  if (!wanted) std::erase(data.prefix_ids, *data.bos_id);
  data.bos_in_chats = wanted && source.convention() == format::Convention::kGguf;
  return data;
}

}  // namespace engine

std::unique_ptr<Tokenizer> open_tokenizer(const EngineConfig& config) {
  const auto source = engine::open_source(config);
  return std::make_unique<Tokenizer>(engine::tokenizer_data(*source, config.add_bos_token));
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& model) {
  return open_tokenizer(EngineConfig{.model = model});
}

}  // namespace caravel
