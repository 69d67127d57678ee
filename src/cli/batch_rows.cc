#include <utility>

#include "cli/batch_answers.h"
#include "cli/request_row.h"

namespace caravel::cli {
namespace {

/// A row without an answer.
RowOutcome failure(const BatchRow& row, const std::string& error) {
  const Json line = {{"id", row.id},   {"index", 0},          {"text", ""}, {"finish_reason", "error"},
                     {"error", error}, {"digest", row.digest}};
  return {.lines = to_text(line) + "\n", .failed = true, .error = error};
}

class PlainWork final : public RowWork {
 public:
  PlainWork(std::unique_ptr<RequestHandle> handle, const BatchRow& row, bool is_chat, const Tokenizer& tokenizer,
            const ResultFields& fields, int64_t& tokens)
      : handle_(std::move(handle)),
        row_(row),
        is_chat_(is_chat),
        tokenizer_(tokenizer),
        fields_(fields),
        tokens_(tokens) {}

  std::optional<RowOutcome> advance() override {
    Next next = handle_->poll();
    for (; next; next = handle_->poll()) tokens_ += static_cast<int64_t>(next->token_ids.size());
    if (!next.ended()) return std::nullopt;
    const Result& result = handle_->result();
    if (result.completions.empty()) return failure(row_, result.error);
    RowOutcome outcome{.failed = !result.error.empty(), .error = result.error};
    for (const Completion& completion : result.completions) {
      Json json = fields_.pick(completion_json(result, completion, is_chat_, tokenizer_));
      json["id"] = row_.id;
      json["digest"] = row_.digest;
      outcome.lines += to_text(json) + "\n";
      outcome.cut += completion.finish_reason == FinishReason::kLength ? 1 : 0;
    }
    return outcome;
  }

 private:
  std::unique_ptr<RequestHandle> handle_;
  const BatchRow& row_;
  const bool is_chat_;
  const Tokenizer& tokenizer_;
  const ResultFields& fields_;
  int64_t& tokens_;
};

class PlainAnswerer final : public RowAnswerer {
 public:
  PlainAnswerer(Engine& engine, const SamplingParams& given, ResultFields fields)
      : engine_(engine), renderer_(make_renderer(engine)), given_(given), fields_(std::move(fields)) {}

  std::unique_ptr<RowWork> begin(const BatchRow& row, OnNews on_news) override {
    Submission submission = parse_row(row.request, given_, renderer_, whole_context(engine_.model()));
    submission.request.id = row.key;
    const bool is_chat = submission.layout.has_value();
    return std::make_unique<PlainWork>(std::move(submission).submit(engine_, std::move(on_news)), row, is_chat,
                                       engine_.tokenizer(), fields_, tokens_);
  }
  RowOutcome refuse(const BatchRow& row, const Error& error) const override { return failure(row, error.what()); }
  int64_t tokens() const override { return tokens_; }

 private:
  Engine& engine_;
  const chat::Renderer renderer_;
  const SamplingParams given_;
  const ResultFields fields_;
  int64_t tokens_ = 0;
};

}  // namespace

std::unique_ptr<RowAnswerer> answer_rows(Engine& engine, const SamplingParams& given, const ResultFields& fields) {
  return std::make_unique<PlainAnswerer>(engine, given, fields);
}

}  // namespace caravel::cli
