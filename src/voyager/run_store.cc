#include "voyager/run_store.h"

#include <bit>
#include <filesystem>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/float_vector.h"
#include "base/hash.h"
#include "voyager/row_json.h"
#include "voyager/run_store_impl.h"
#include "voyager/written_file.h"

namespace caravel::voyager {
namespace {

constexpr std::chrono::seconds kStorePatience(30);

std::span<const std::byte> bytes_of(std::string_view bytes) { return std::as_bytes(std::span(bytes)); }

/// As a call's row has it: 0, 1: cut by the limit of tokens, 2: since it went round in circles.
int64_t cut_number(const ModelAnswer& answer) { return answer.goes_round ? 2 : answer.is_cut ? 1 : 0; }

std::string made_folder(const std::string& folder, RunStore::Open how) {
  const std::string path = (std::filesystem::path(folder) / "voyage.db").string();
  if (how == RunStore::Open::kReading) {
    if (!is_there(path)) throw fail<NotFound>("{}: there is no voyage.db: it is not the folder of a run", folder);
    return path;
  }
  make_folders(folder);
  return path;
}

}  // namespace

RunStore::Impl::Impl(const std::string& folder, Open how)
    : path(made_folder(folder, how)),
      lock(how == Open::kWriting ? std::make_unique<FolderLock>(folder) : nullptr),
      database(path, kRunSchema, kStorePatience, how == Open::kReading ? store::Use::kReading : store::Use::kWriting) {
  if (lock != nullptr) remove_unfinished_files(folder);
}

int64_t RunStore::Impl::text_id(const std::string& text) {
  const Hash128 hash = hash128(text.data(), text.size());
  const std::span<const std::byte> key = std::as_bytes(std::span(&hash, 1));
  {
    store::Rows rows = find_text.query({key});
    while (rows.next())
      if (rows.text(1) == text) return rows.integer(0);
  }
  add_text.run({key, text});
  store::Rows rows = last_text.query();
  rows.next();
  return rows.integer(0);
}

RunStore::RunStore(const std::string& folder, Open how) : impl_(std::make_unique<Impl>(folder, how)) {}
RunStore::~RunStore() = default;

void RunStore::begin() {
  impl_->transaction.reset();
  impl_->transaction.emplace(impl_->database);
}

void RunStore::commit() {
  impl_->transaction->commit();
  impl_->transaction.reset();
}

void RunStore::set_setup(const Json& setup) { impl_->keep("setup", setup); }
void RunStore::put_state(const Json& agent) { impl_->keep("state", agent); }
void RunStore::put_ending(const Json& ending) { impl_->keep("ending", ending); }

void RunStore::put_world(std::string_view saved, const Observation& at) {
  impl_->as_one([&] {
    impl_->put_saved.run({bytes_of(saved)});
    impl_->keep("observation", to_json(at));
  });
}

void RunStore::add(const CallRow& row) {
  impl_->as_one([&] {
    Json messages = Json::array();
    for (const Message& message : row.request.messages)
      messages.push_back({message.role, impl_->text_id(message.content)});
    const ModelAnswer& answer = row.answer;
    impl_->add_call.run({row.number, row.iteration, role_name(row.request.role), row.model, to_text(messages),
                         row.request.schema, answer.text, answer.reasoning, cut_number(answer), answer.prompt_tokens,
                         answer.completion_tokens, answer.counted, std::bit_cast<int64_t>(answer.cost), answer.seconds,
                         to_text(Json(answer.retries))});
  });
}

void RunStore::add(const EmbeddingRow& row) {
  impl_->add_embedding.run({row.number, row.iteration, row.model, row.text, bytes_of(little_endian(row.vector))});
}

void RunStore::put(const StepRow& row) {
  const Position& at = row.after.position;
  impl_->put_step.run({row.iteration, row.round, at.x, at.y, at.z, to_text(to_json(row))});
}

void RunStore::put(const IterationRow& row) { impl_->put_iteration.run({row.number, to_text(to_json(row))}); }

void RunStore::add(const ItemRow& row) { impl_->add_item.run({row.name, row.iteration, row.tick}); }

void RunStore::add(const SkillRow& row) {
  store::Statement add = impl_->database.prepare("INSERT INTO skill (name, version, row, vector) VALUES (?, ?, ?, ?)");
  add.run({row.name, row.version, to_text(to_json(row)), bytes_of(little_endian(row.embedding))});
}

void RunStore::put_embedding(const SkillRow& row) {
  store::Statement put = impl_->database.prepare("UPDATE skill SET vector = ? WHERE name = ? AND version = ?");
  put.run({bytes_of(little_endian(row.embedding)), row.name, row.version});
}

void RunStore::add(const QuestionRow& row) {
  store::Statement add =
      impl_->database.prepare("INSERT INTO question (question, answer, vector, iteration) VALUES (?, ?, ?, ?)");
  add.run({row.question, row.answer, bytes_of(little_endian(row.vector)), row.iteration});
}

}  // namespace caravel::voyager
