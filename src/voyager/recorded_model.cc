#include "voyager/recorded_model.h"

#include "base/error.h"
#include "voyager/calls.h"

namespace caravel::voyager {
namespace {

std::string model_name(const Json& setup, const char* whose) {
  if (!setup.is_object() || !setup.contains("names"))
    throw InvalidArgument("the run that is to be replayed was never begun: its record is empty");
  return setup.at("names").value(whose, "");
}

}  // namespace

struct RecordedModels::Impl {
  /// Where in the record all of them are.
  struct Cursor {
    [[noreturn]] void refuse() const {
      if (done >= run.last_number())
        throw fail<RecordEnded>("the record that is replayed ends behind call {}: that run went no further", done);
      throw fail<InvalidArgument>(
          "call {} of the record is of another kind than what is asked: it was made by another version of Caravel, or "
          "with another configuration",
          done + 1);
    }

    const RunStore& run;
    int64_t done;
  };

  struct Chat : ChatModel {
    Chat(std::string name, Cursor& shared) : known_as(std::move(name)), cursor(shared) {}
    const std::string& name() const override { return known_as; }
    ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
      const auto row = cursor.run.call(cursor.done + 1);
      if (!row) cursor.refuse();
      check_same(row->request, request, row->number);
      ++cursor.done;
      known_as = row->model;  // a run may have gone on with another
      on_piece(row->answer.text);
      return row->answer;
    }

    std::string known_as;
    Cursor& cursor;
  };

  struct Vectors : Embedder {
    Vectors(std::string name, Cursor& shared) : known_as(std::move(name)), cursor(shared) {}
    const std::string& name() const override { return known_as; }
    std::vector<float> embed(const std::string& text) override {
      const auto row = cursor.run.embedding(cursor.done + 1);
      if (!row) cursor.refuse();
      check_same(row->text, text, row->number);
      ++cursor.done;
      known_as = row->model;
      return row->vector;
    }

    std::string known_as;
    Cursor& cursor;
  };

  Impl(const RunStore& run, int64_t done)
      : cursor{run, done},
        curriculum(model_name(run.setup(), "curriculum"), cursor),
        action(model_name(run.setup(), "action"), cursor),
        critic(model_name(run.setup(), "critic"), cursor),
        embedder(model_name(run.setup(), "embedder"), cursor) {}

  Cursor cursor;
  Chat curriculum, action, critic;
  Vectors embedder;
};

RecordedModels::RecordedModels(const RunStore& run, int64_t done) : impl_(std::make_unique<Impl>(run, done)) {}
RecordedModels::~RecordedModels() = default;

Models RecordedModels::models() const { return {&impl_->curriculum, &impl_->action, &impl_->critic, &impl_->embedder}; }

}  // namespace caravel::voyager
