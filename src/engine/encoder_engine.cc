#include "engine/encoder_engine.h"

#include <utility>

#include "base/error.h"
#include "engine/check_request.h"

namespace caravel::engine {

EncoderEngine::EncoderEngine(const EngineConfig& config, std::unique_ptr<format::WeightSource> source,
                             const LoadHooks& hooks)
    : loaded_(load_encoder(config, *source, hooks)),
      loop_(*loaded_.device, *loaded_.encoder,
            {.max_tokens = loaded_.info.max_num_batched_tokens,
             .max_texts = loaded_.info.max_num_seqs,
             .by_priority = config.policy == SchedulingPolicy::kPriority,
             .profile = config.profile}) {}

void EncoderEngine::refuse() const {
  throw fail<InvalidArgument>("the model, {}, is an encoder: it makes embeddings alone (caravel embed, /v1/embeddings)",
                              loaded_.info.name);
}

std::unique_ptr<RequestHandle> EncoderEngine::submit(Request, OnNews) { refuse(); }
std::unique_ptr<RequestHandle> EncoderEngine::chat(ChatRequest, OnNews) { refuse(); }
std::unique_ptr<RequestHandle> EncoderEngine::score(ScoreRequest, OnNews) { refuse(); }

std::unique_ptr<RequestHandle> EncoderEngine::embed(EmbedRequest request, OnNews on_news) {
  check_text(request, loaded_.info);
  numbers_.number(request.id);
  auto channel = std::make_shared<RequestChannel>(request.id, RequestChannel::Shape{}, std::move(on_news));
  loop_.submit({.tokens = std::move(request.tokens),
                .priority = request.priority,
                .background = request.background,
                .channel = channel});
  return std::make_unique<Handle>(std::move(channel), loop_.poker());
}

}  // namespace caravel::engine
