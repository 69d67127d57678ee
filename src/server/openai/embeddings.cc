#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "base/float_vector.h"
#include "server/endpoint/engine_work.h"
#include "server/endpoint/model_name.h"
#include "server/endpoint/prompt.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

constexpr size_t kAtOnce = 8;  // texts beyond these run in the background: a long list holds up nobody

class EmbeddingsAnswer final : public WholeAnswer {
 public:
  /// tokens: of all prompts.
  EmbeddingsAnswer(std::string model, bool as_base64, size_t prompts, size_t tokens)
      : model_(std::move(model)), as_base64_(as_base64), results_(prompts), tokens_(tokens) {}

  bool is_large() const override { return results_.size() > kAtOnce; }
  void prompt_ended(size_t prompt, const Result& result, AnswerText&) override { results_[prompt] = &result; }
  void complete(AnswerText& out) override {
    const auto write = [this](size_t prompt, std::string& text) {
      const std::vector<float> values = unit_vector(results_[prompt]->embedding);
      text += to_text({{"object", "embedding"},
                       {"index", prompt},
                       {"embedding", as_base64_ ? Json(base64(little_endian(values))) : Json(values)}});
    };
    out.add_json({{"object", "list"},
                  {"data", out.list(results_.size(), write)},
                  {"model", model_},
                  {"usage", {{"prompt_tokens", tokens_}, {"total_tokens", tokens_}}}});
  }

 private:
  std::string model_;
  bool as_base64_;
  std::vector<const Result*> results_;  // by prompt
  size_t tokens_;
};

}  // namespace

std::unique_ptr<http::Work> embeddings(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kEmbeddings);
  std::string model = parse_model(fields, call.services);
  Engine& engine = call.services.engine;
  const ModelInfo& info = engine.model();
  std::string format = "float";
  if (const Json* value = fields.find("encoding_format")) {
    format = as_one_of(*value, "encoding_format", {"float", "base64"});
  }
  if (const auto dimensions = fields.integer("dimensions"); dimensions && *dimensions != info.hidden_size) {
    throw bad_field("dimensions",
                    fmt::format("Invalid 'dimensions': this model's embeddings have {}.", info.hidden_size));
  }
  const std::optional<int64_t> truncation = parse_truncation(fields);
  std::vector<chat::Prompt> prompts =
      parse_prompts(fields.require("input"), "input", engine.tokenizer(), fields.boolean("add_special_tokens", true),
                    room_of(truncation, 0, info));
  fields.refuse_unknown();
  size_t tokens = 0;
  for (chat::Prompt& prompt : prompts) {
    fit_prompt(prompt, "input", truncation, 0, info, engine.tokenizer());
    tokens += prompt.tokens.size();
  }

  // However many texts there are, one HTTP request waits.
  OnNews on_news = leave_with_first_news(call.ticket, call.wake);
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (chat::Prompt& prompt : prompts) {
    handles.push_back(engine.embed({.id = fmt::format("{}-{}", call.request.id, handles.size()),
                                    .tokens = std::move(prompt.tokens),
                                    .background = handles.size() >= kAtOnce},
                                   handles.empty() ? std::move(on_news) : OnNews(call.wake)));
  }
  return answer_with(call, std::move(handles),
                     std::make_unique<EmbeddingsAnswer>(std::move(model), format == "base64", prompts.size(), tokens));
}

}  // namespace caravel::server::openai
