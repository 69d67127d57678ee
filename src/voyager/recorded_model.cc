#include "voyager/recorded_model.h"

#include "base/error.h"
#include "voyager/calls.h"

namespace caravel::voyager {
namespace {

/// Where in the record all of them are.
struct Cursor {
  const RunStore& run;
  int64_t done;

  [[noreturn]] void refuse(int64_t number) const {
    if (number > run.last_number())
      throw fail<RecordEnded>("the record that is replayed ends behind call {}: that run went no further", number - 1);
    throw fail<InvalidArgument>(
        "call {} of the record is of another kind than what is asked: it was made by another version of Caravel, or "
        "with another configuration",
        number);
  }
};

class RecordedChat : public ChatModel {
 public:
  RecordedChat(std::string name, Cursor& cursor) : name_(std::move(name)), cursor_(cursor) {}
  const std::string& name() const override { return name_; }
  ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
    const int64_t number = cursor_.done + 1;
    const auto row = cursor_.run.call(number);
    if (!row) cursor_.refuse(number);
    check_same(row->request, request, number);
    cursor_.done = number;
    on_piece(row->answer.text);
    return row->answer;
  }

 private:
  std::string name_;
  Cursor& cursor_;
};

class RecordedEmbedder : public Embedder {
 public:
  RecordedEmbedder(std::string name, Cursor& cursor) : name_(std::move(name)), cursor_(cursor) {}
  const std::string& name() const override { return name_; }
  std::vector<float> embed(const std::string& text) override {
    const int64_t number = cursor_.done + 1;
    const auto row = cursor_.run.embedding(number);
    if (!row) cursor_.refuse(number);
    check_same(row->text, text, number);
    cursor_.done = number;
    return row->vector;
  }

 private:
  std::string name_;
  Cursor& cursor_;
};

std::string model_name(const Json& setup, const char* whose) {
  if (!setup.is_object() || !setup.contains("names"))
    throw InvalidArgument("the run that is to be replayed was never begun: its record is empty");
  return setup.at("names").value(whose, "");
}

}  // namespace

struct RecordedModels::Impl {
  Impl(const RunStore& run, int64_t done)
      : cursor{run, done},
        curriculum(model_name(run.setup(), "curriculum"), cursor),
        action(model_name(run.setup(), "action"), cursor),
        critic(model_name(run.setup(), "critic"), cursor),
        embedder(model_name(run.setup(), "embedder"), cursor) {}

  Cursor cursor;
  RecordedChat curriculum, action, critic;
  RecordedEmbedder embedder;
};

RecordedModels::RecordedModels(const RunStore& run, int64_t done) : impl_(std::make_unique<Impl>(run, done)) {}
RecordedModels::~RecordedModels() = default;

Models RecordedModels::models() const { return {&impl_->curriculum, &impl_->action, &impl_->critic, &impl_->embedder}; }

}  // namespace caravel::voyager
