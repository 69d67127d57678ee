#include "server/score.h"

#include <utility>

#include "chat/score_pairs.h"
#include "server/endpoint/answer_head.h"
#include "server/endpoint/cache_scope.h"
#include "server/endpoint/engine_work.h"
#include "server/endpoint/model_name.h"
#include "server/endpoint/prompt.h"

namespace caravel::server {
namespace {

class ScoreAnswer final : public WholeAnswer {
 public:
  ScoreAnswer(AnswerHead head, chat::ScorePairs pairs, const Tokenizer& tokenizer)
      : head_(std::move(head)), pairs_(std::move(pairs)), tokenizer_(tokenizer) {}

  bool is_large() const override { return pairs_.tokens > 1000; }
  void prompt_ended(size_t, const Result& result, AnswerText&) override { result_ = &result; }
  void complete(AnswerText& out) override {
    const auto write = [this](size_t i, std::string& text) {
      Json score = {{"object", "score"}, {"index", i}};
      score.update(chat::score_json(pairs_, result_->scores, i, tokenizer_));
      text += to_text(score);
    };
    out.add_json({{"id", head_.id},
                  {"object", "list"},
                  {"created", head_.created},
                  {"model", head_.model},
                  {"data", out.list(pairs_.places.size(), write)},
                  {"usage", {{"prompt_tokens", pairs_.tokens}, {"total_tokens", pairs_.tokens}}}});
  }

 private:
  AnswerHead head_;
  chat::ScorePairs pairs_;
  const Tokenizer& tokenizer_;
  const Result* result_ = nullptr;
};

}  // namespace

std::unique_ptr<http::Work> score(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kScore);
  const std::string model = parse_model(fields, call.services);
  Engine& engine = call.services.engine;
  chat::ScorePairs pairs = chat::parse_score_pairs(fields, engine.tokenizer(), engine.model().vocab_size, kMaxPrompts);
  fields.refuse_unknown();

  std::vector<std::unique_ptr<RequestHandle>> handles;
  handles.push_back(engine.score(
      {.id = call.request.id, .items = std::exchange(pairs.items, {}), .cache_salt = cache_scope(call, "")},
      leave_with_first_news(call.ticket, call.wake)));
  return answer_with(call, std::move(handles),
                     std::make_unique<ScoreAnswer>(AnswerHead::make("score-", model, call.services), std::move(pairs),
                                                   engine.tokenizer()));
}

}  // namespace caravel::server
