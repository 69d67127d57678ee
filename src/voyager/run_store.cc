#include "voyager/run_store.h"

#include <bit>
#include <cstring>
#include <filesystem>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/float_vector.h"
#include "base/hash.h"
#include "store/database.h"
#include "voyager/folder_lock.h"
#include "voyager/row_json.h"
#include "voyager/run_schema.h"
#include "voyager/written_file.h"

namespace caravel::voyager {
namespace {

std::span<const std::byte> bytes_of(std::string_view bytes) { return std::as_bytes(std::span(bytes)); }

std::string vector_bytes(const std::vector<float>& vector) { return little_endian(vector); }

std::vector<float> vector_from(std::span<const std::byte> bytes) {
  std::vector<float> vector(bytes.size() / 4);
  for (size_t i = 0; i < vector.size(); ++i) {
    uint32_t bits = 0;
    for (size_t byte = 4; byte-- > 0;) bits = bits << 8 | std::to_integer<uint32_t>(bytes[4 * i + byte]);
    vector[i] = std::bit_cast<float>(bits);
  }
  return vector;
}

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

struct RunStore::Impl {
  Impl(const std::string& folder, Open how)
      : path(made_folder(folder, how)),
        lock(how == Open::kWriting ? std::make_unique<FolderLock>(folder) : nullptr),
        database(path, kRunSchema) {}

  Json kept(std::string_view name) {
    store::Rows rows = find_kept.query({name});
    return rows.next() ? parse_json(rows.text(0)) : Json(nullptr);
  }
  void keep(std::string_view name, const Json& value) { put_kept.run({name, to_text(value)}); }

  int64_t text_id(const std::string& text) {
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
  std::string text(int64_t id) {
    store::Rows rows = text_of.query({id});
    if (!rows.next()) throw fail<FormatError>("{}: text {} of a prompt is missing: the record is damaged", path, id);
    return std::string(rows.text(0));
  }

  CallRow call(const store::Rows& rows) {
    CallRow row;
    row.number = rows.integer(0);
    row.iteration = rows.integer(1);
    const auto role = role_named(rows.text(2));
    if (!role) throw fail<FormatError>("{}: call {} is of role '{}', which is unknown", path, row.number, rows.text(2));
    row.request.role = *role;
    row.model = rows.text(3);
    for (const Json& message : parse_json(rows.text(4)))
      row.request.messages.push_back({message.at(0).get<std::string>(), text(message.at(1).get<int64_t>())});
    row.request.schema = rows.text(5);
    row.answer.text = rows.text(6);
    row.answer.reasoning = rows.text(7);
    row.answer.is_cut = rows.integer(8) != 0;
    row.answer.prompt_tokens = rows.integer(9);
    row.answer.completion_tokens = rows.integer(10);
    row.answer.counted = rows.integer(11) != 0;
    row.answer.cost = std::bit_cast<double>(rows.integer(12));
    row.answer.seconds = rows.real(13);
    row.answer.retries = parse_json(rows.text(14)).get<std::vector<std::string>>();
    return row;
  }

  /// Several statements that are one row become one also where no begin() stands around them.
  template <typename Write>
  void as_one(const Write& write) {
    std::optional<store::Transaction> alone;
    if (!transaction) alone.emplace(database);
    write();
    if (alone) alone->commit();
  }

  std::string path;
  std::unique_ptr<FolderLock> lock;
  store::Database database;
  std::optional<store::Transaction> transaction;
  store::Statement find_kept = database.prepare("SELECT value FROM kept WHERE name = ?");
  store::Statement put_kept = database.prepare("INSERT OR REPLACE INTO kept VALUES (?, ?)");
  store::Statement find_text = database.prepare("SELECT id, text FROM text WHERE hash = ?");
  store::Statement add_text = database.prepare("INSERT INTO text (hash, text) VALUES (?, ?)");
  store::Statement last_text = database.prepare("SELECT last_insert_rowid()");
  store::Statement text_of = database.prepare("SELECT text FROM text WHERE id = ?");
  store::Statement add_call = database.prepare("INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  store::Statement find_call = database.prepare("SELECT * FROM call WHERE number = ?");
  store::Statement add_embedding = database.prepare("INSERT INTO embedding VALUES (?, ?, ?, ?, ?)");
  store::Statement find_embedding = database.prepare("SELECT * FROM embedding WHERE number = ?");
  store::Statement put_step = database.prepare("INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?, ?, ?)");
  store::Statement put_iteration = database.prepare("INSERT OR REPLACE INTO iteration VALUES (?, ?)");
  store::Statement add_item = database.prepare("INSERT OR IGNORE INTO item (name, iteration, tick) VALUES (?, ?, ?)");
  store::Statement put_saved = database.prepare("INSERT OR REPLACE INTO world VALUES (1, ?)");
};

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

Json RunStore::setup() const { return impl_->kept("setup"); }
void RunStore::set_setup(const Json& setup) { impl_->keep("setup", setup); }
Json RunStore::state() const { return impl_->kept("state"); }
void RunStore::put_state(const Json& agent) { impl_->keep("state", agent); }
Json RunStore::ending() const { return impl_->kept("ending"); }
void RunStore::put_ending(const Json& ending) { impl_->keep("ending", ending); }

void RunStore::put_world(std::string_view saved, const Observation& at) {
  impl_->as_one([&] {
    impl_->put_saved.run({bytes_of(saved)});
    impl_->keep("observation", to_json(at));
  });
}

std::optional<std::string> RunStore::world() const {
  store::Statement find = impl_->database.prepare("SELECT saved FROM world");
  store::Rows rows = find.query();
  if (!rows.next()) return std::nullopt;
  const std::span<const std::byte> saved = rows.bytes(0);
  return std::string(reinterpret_cast<const char*>(saved.data()), saved.size());
}

std::optional<Observation> RunStore::observation() const {
  const Json kept = impl_->kept("observation");
  return kept.is_null() ? std::nullopt : std::optional(observation_from(kept));
}

void RunStore::add(const CallRow& row) {
  impl_->as_one([&] {
    Json messages = Json::array();
    for (const Message& message : row.request.messages)
      messages.push_back({message.role, impl_->text_id(message.content)});
    const ModelAnswer& answer = row.answer;
    impl_->add_call.run({row.number, row.iteration, role_name(row.request.role), row.model, to_text(messages),
                         row.request.schema, answer.text, answer.reasoning, answer.is_cut, answer.prompt_tokens,
                         answer.completion_tokens, answer.counted, std::bit_cast<int64_t>(answer.cost), answer.seconds,
                         to_text(Json(answer.retries))});
  });
}

void RunStore::add(const EmbeddingRow& row) {
  impl_->add_embedding.run({row.number, row.iteration, row.model, row.text, bytes_of(vector_bytes(row.vector))});
}

void RunStore::put(const StepRow& row) {
  const Position& at = row.after.position;
  impl_->put_step.run({row.iteration, row.round, at.x, at.y, at.z, to_text(to_json(row))});
}

void RunStore::put(const IterationRow& row) { impl_->put_iteration.run({row.number, to_text(to_json(row))}); }

void RunStore::add(const ItemRow& row) { impl_->add_item.run({row.name, row.iteration, row.tick}); }

void RunStore::add(const SkillRow& row) {
  store::Statement add = impl_->database.prepare("INSERT INTO skill (name, version, row, vector) VALUES (?, ?, ?, ?)");
  add.run({row.name, row.version, to_text(to_json(row)), bytes_of(vector_bytes(row.embedding))});
}

void RunStore::add(const QuestionRow& row) {
  store::Statement add =
      impl_->database.prepare("INSERT INTO question (question, answer, vector, iteration) VALUES (?, ?, ?, ?)");
  add.run({row.question, row.answer, bytes_of(vector_bytes(row.vector)), row.iteration});
}

std::optional<CallRow> RunStore::call(int64_t number) const {
  store::Rows rows = impl_->find_call.query({number});
  return rows.next() ? std::optional(impl_->call(rows)) : std::nullopt;
}

std::optional<EmbeddingRow> RunStore::embedding(int64_t number) const {
  store::Rows rows = impl_->find_embedding.query({number});
  if (!rows.next()) return std::nullopt;
  return EmbeddingRow{rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3)),
                      vector_from(rows.bytes(4))};
}

int64_t RunStore::last_number() const {
  store::Statement find = impl_->database.prepare(
      "SELECT max(coalesce((SELECT max(number) FROM call), 0), coalesce((SELECT max(number) FROM embedding), 0))");
  store::Rows rows = find.query();
  rows.next();
  return rows.integer(0);
}

void RunTotals::add(const ModelAnswer& answer) {
  ++calls;
  prompt_tokens += answer.prompt_tokens;
  completion_tokens += answer.completion_tokens;
  counted = counted && answer.counted;
  cost += answer.cost;
  seconds += answer.seconds;
}

RunTotals RunStore::totals() const {
  store::Statement find = impl_->database.prepare(
      "SELECT prompt_tokens, completion_tokens, counted, cost_bits, seconds FROM call ORDER BY number");
  RunTotals totals;
  ModelAnswer answer;
  for (store::Rows rows = find.query(); rows.next();) {
    answer.prompt_tokens = rows.integer(0);
    answer.completion_tokens = rows.integer(1);
    answer.counted = rows.integer(2) != 0;
    answer.cost = std::bit_cast<double>(rows.integer(3));
    answer.seconds = rows.real(4);
    totals.add(answer);
  }
  return totals;
}

std::vector<SkillRow> RunStore::skills() const {
  store::Statement find = impl_->database.prepare("SELECT row, vector FROM skill ORDER BY id");
  std::vector<SkillRow> skills;
  for (store::Rows rows = find.query(); rows.next();) {
    skills.push_back(skill_from(parse_json(rows.text(0))));
    skills.back().embedding = vector_from(rows.bytes(1));
  }
  return skills;
}

std::vector<QuestionRow> RunStore::questions() const {
  store::Statement find =
      impl_->database.prepare("SELECT question, answer, vector, iteration FROM question ORDER BY id");
  std::vector<QuestionRow> questions;
  for (store::Rows rows = find.query(); rows.next();)
    questions.push_back(
        {std::string(rows.text(0)), std::string(rows.text(1)), vector_from(rows.bytes(2)), rows.integer(3)});
  return questions;
}

std::vector<ItemRow> RunStore::items() const {
  store::Statement find = impl_->database.prepare("SELECT name, iteration, tick FROM item ORDER BY id");
  std::vector<ItemRow> items;
  for (store::Rows rows = find.query(); rows.next();)
    items.push_back({std::string(rows.text(0)), rows.integer(1), rows.integer(2)});
  return items;
}

std::optional<StepRow> RunStore::step(int64_t iteration, int round) const {
  store::Statement find = impl_->database.prepare("SELECT row FROM step WHERE iteration = ? AND round = ?");
  store::Rows rows = find.query({iteration, round});
  return rows.next() ? std::optional(step_from(parse_json(rows.text(0)))) : std::nullopt;
}

void RunStore::each_call(const std::function<void(const CallRow&)>& visit) const {
  store::Statement find = impl_->database.prepare("SELECT * FROM call ORDER BY number");
  for (store::Rows rows = find.query(); rows.next();) visit(impl_->call(rows));
}

void RunStore::each_step(const std::function<void(const StepRow&)>& visit) const {
  store::Statement find = impl_->database.prepare("SELECT row FROM step ORDER BY iteration, round");
  for (store::Rows rows = find.query(); rows.next();) visit(step_from(parse_json(rows.text(0))));
}

void RunStore::each_iteration(const std::function<void(const IterationRow&)>& visit) const {
  store::Statement find = impl_->database.prepare("SELECT row FROM iteration ORDER BY number");
  for (store::Rows rows = find.query(); rows.next();) visit(iteration_from(parse_json(rows.text(0))));
}

std::vector<Position> RunStore::trail() const {
  std::vector<Position> trail;
  store::Statement first = impl_->database.prepare("SELECT row FROM step ORDER BY iteration, round LIMIT 1");
  for (store::Rows rows = first.query(); rows.next();)
    trail.push_back(step_from(parse_json(rows.text(0))).before.position);
  store::Statement find = impl_->database.prepare("SELECT x, y, z FROM step ORDER BY iteration, round");
  for (store::Rows rows = find.query(); rows.next();) trail.push_back({rows.real(0), rows.real(1), rows.real(2)});
  return trail;
}

}  // namespace caravel::voyager
