#include <optional>
#include <utility>

#include "chat/prompt.h"
#include "chat/score_pairs.h"
#include "cli/batch_answers.h"
#include "cli/request_row.h"
#include "cli/windowed_score.h"
#include "fields/fields.h"

namespace caravel::cli {
namespace {

/// A row without scores.
RowOutcome unscored(const BatchRow& row, const std::string& error) {
  const Json line = {{"id", row.id}, {"scores", Json::array()}, {"error", error}, {"digest", row.digest}};
  return {.lines = to_text(line) + "\n", .failed = true, .error = error};
}

class ScoreWork final : public RowWork {
 public:
  ScoreWork(std::unique_ptr<RequestHandle> handle, const BatchRow& row, chat::ScorePairs pairs,
            std::optional<WindowedScore> windowed, const Tokenizer& tokenizer, int64_t& tokens)
      : handle_(std::move(handle)),
        row_(row),
        pairs_(std::move(pairs)),
        windowed_(std::move(windowed)),
        tokenizer_(tokenizer),
        tokens_(tokens) {}

  std::optional<RowOutcome> advance() override {
    if (!handle_->poll().ended()) return std::nullopt;
    const Result& result = handle_->result();
    if (!result.error.empty()) return unscored(row_, result.error);
    tokens_ += result.usage.prompt_tokens;
    const std::vector<std::vector<Score>> joined =
        windowed_ ? windowed_->join(result.scores) : std::vector<std::vector<Score>>();
    Json line = {{"id", row_.id}, {"scores", Json::array()}};
    for (size_t i = 0; i < pairs_.places.size(); ++i) {
      line["scores"].push_back(chat::score_json(pairs_, windowed_ ? joined : result.scores, i, tokenizer_));
    }
    line["digest"] = row_.digest;
    return RowOutcome{.lines = to_text(line) + "\n"};
  }

 private:
  std::unique_ptr<RequestHandle> handle_;
  const BatchRow& row_;
  const chat::ScorePairs pairs_;
  const std::optional<WindowedScore> windowed_;
  const Tokenizer& tokenizer_;
  int64_t& tokens_;
};

class ScoreAnswerer final : public RowAnswerer {
 public:
  ScoreAnswerer(Engine& engine, size_t stride) : engine_(engine), stride_(stride) {}

  std::unique_ptr<RowWork> begin(const BatchRow& row, OnNews on_news) override {
    Json body = row.request;
    body.erase("id");
    Fields fields(body, Surface::kScore);
    fields.find("model");  // MODEL scores, whatever the row was made for
    if (stride_ == 0) refuse_long(fields);
    const ModelInfo& model = engine_.model();
    chat::ScorePairs pairs = chat::parse_score_pairs(fields, engine_.tokenizer(), model.vocab_size);
    fields.refuse_unknown();
    std::vector<ScoreRequest::Item> items = std::exchange(pairs.items, {});
    std::optional<WindowedScore> windowed;
    if (stride_ > 0) {
      windowed.emplace(items, static_cast<size_t>(model.max_model_len), stride_);
      items = windowed->items();
    }
    auto handle = engine_.score({.id = row.key, .items = std::move(items)}, std::move(on_news));
    return std::make_unique<ScoreWork>(std::move(handle), row, std::move(pairs), std::move(windowed),
                                       engine_.tokenizer(), tokens_);
  }
  RowOutcome refuse(const BatchRow& row, const Error& error) const override { return unscored(row, error.what()); }
  int64_t tokens() const override { return tokens_; }
  std::string settings() const override {
    return stride_ == 0 ? "" : fmt::format("\nwindows of {}, {} apart", engine_.model().max_model_len, stride_);
  }

 private:
  /// Texts that surely are longer than the context, before they are tokenized.
  void refuse_long(Fields& fields) const {
    const auto check = [this](const Json& text, const std::string& path) {
      if (!text.is_string()) return;
      chat::check_room(text.get_ref<const std::string&>(), whole_context(engine_.model()), path, engine_.tokenizer());
    };
    if (const Json* const prefix = fields.find("prefix")) check(*prefix, "prefix");
    const Json* const continuations = fields.find("continuations");
    if (continuations == nullptr || !continuations->is_array()) return;
    for (size_t i = 0; i < continuations->size(); ++i) check((*continuations)[i], join_path("continuations", i));
  }

  Engine& engine_;
  const size_t stride_;
  int64_t tokens_ = 0;
};

}  // namespace

std::unique_ptr<RowAnswerer> answer_score_rows(Engine& engine, size_t stride) {
  return std::make_unique<ScoreAnswerer>(engine, stride);
}

}  // namespace caravel::cli
