#include "voyager/engine_model.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "chat/prompt.h"

namespace caravel::voyager {
namespace {

/// The whole of a request. Throws ModelError, Interrupted; which cancels it.
const Result& wait_for_result(RequestHandle& handle, const std::string& model, const OnPiece& on_piece) {
  constexpr std::chrono::milliseconds kLook{20};
  for (;;) {
    check_interrupt_now();
    const Next next = handle.next(Clock::now() + kLook);
    if (next.ended()) break;
    if (!next || !on_piece) continue;
    for (const Piece& piece : next->pieces) {
      if (piece.kind == Piece::Kind::kContent || piece.kind == Piece::Kind::kReasoning) on_piece(piece.text);
    }
  }
  const Result& result = handle.result();
  if (!result.error.empty()) throw fail<ModelError>("{}: {}", model, result.error);
  return result;
}

class EngineModel final : public ChatModel {
 public:
  EngineModel(Engine& engine, EngineModelConfig config) : engine_(engine), config_(std::move(config)) {}

  const std::string& name() const override { return engine_.model().name; }
  int64_t context_tokens() const override { return engine_.model().max_model_len; }

  ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
    const Clock::time_point begin = Clock::now();
    ChatRequest chat{.messages = request.messages, .sampling = config_.sampling};
    if (!request.schema.empty())
      chat.sampling.grammar = {.kind = GrammarSpec::Kind::kJsonSchema, .text = request.schema};
    std::unique_ptr<RequestHandle> handle;
    try {
      handle = engine_.chat(std::move(chat));
    } catch (const Error& error) {
      throw fail<ModelError>("{}: {}", name(), error.what());
    }
    const Result& result = wait_for_result(*handle, name(), on_piece);
    const Completion& completion = result.completions.at(0);
    ModelAnswer answer;
    answer.text = completion.content;
    answer.reasoning = completion.reasoning;
    answer.is_cut = completion.finish_reason == FinishReason::kLength;
    answer.goes_round = answer.is_cut && completion.stop_reason == kRepetitionDetected;
    answer.prompt_tokens = result.usage.prompt_tokens;
    answer.completion_tokens = result.usage.completion_tokens;
    answer.cost = config_.prices.of(answer.prompt_tokens, answer.completion_tokens);
    answer.seconds = seconds_since(begin);
    return answer;
  }

 private:
  Engine& engine_;
  const EngineModelConfig config_;
};

class EngineEmbedder final : public Embedder {
 public:
  explicit EngineEmbedder(Engine& engine) : engine_(engine) {}

  const std::string& name() const override { return engine_.model().name; }

  std::vector<float> embed(const std::string& text) override {
    const ModelInfo& model = engine_.model();
    // A text must have a token.
    chat::Prompt prompt{.tokens = engine_.tokenizer().encode(text.empty() ? " " : text), .text = {}};
    chat::cut(prompt, static_cast<size_t>(model.max_model_len), model, engine_.tokenizer());
    try {
      const auto handle = engine_.embed({.tokens = std::move(prompt.tokens)});
      return wait_for_result(*handle, name(), {}).embedding;
    } catch (const ModelError&) {
      throw;
    } catch (const Error& error) {
      throw fail<ModelError>("{}: {}", name(), error.what());
    }
  }

 private:
  Engine& engine_;
};

}  // namespace

std::unique_ptr<ChatModel> make_engine_model(Engine& engine, const EngineModelConfig& config) {
  return std::make_unique<EngineModel>(engine, config);
}

std::unique_ptr<Embedder> make_engine_embedder(Engine& engine) { return std::make_unique<EngineEmbedder>(engine); }

}  // namespace caravel::voyager
