#include <bit>
#include <span>

#include "base/error.h"
#include "voyager/row_json.h"
#include "voyager/run_store_impl.h"

namespace caravel::voyager {
namespace {

std::vector<float> vector_from(std::span<const std::byte> bytes) {
  std::vector<float> vector(bytes.size() / 4);
  for (size_t i = 0; i < vector.size(); ++i) {
    uint32_t bits = 0;
    for (size_t byte = 4; byte-- > 0;) bits = bits << 8 | std::to_integer<uint32_t>(bytes[4 * i + byte]);
    vector[i] = std::bit_cast<float>(bits);
  }
  return vector;
}

}  // namespace

Json RunStore::Impl::kept(std::string_view name) {
  store::Rows rows = find_kept.query({name});
  return rows.next() ? parse_json(rows.text(0)) : Json(nullptr);
}

std::string RunStore::Impl::text(int64_t id) {
  store::Rows rows = text_of.query({id});
  if (!rows.next()) throw fail<FormatError>("{}: text {} of a prompt is missing: the record is damaged", path, id);
  return std::string(rows.text(0));
}

CallRow RunStore::Impl::call(const store::Rows& rows) {
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
  row.answer.goes_round = rows.integer(8) == 2;
  row.answer.prompt_tokens = rows.integer(9);
  row.answer.completion_tokens = rows.integer(10);
  row.answer.counted = rows.integer(11) != 0;
  row.answer.cost = std::bit_cast<double>(rows.integer(12));
  row.answer.seconds = rows.real(13);
  row.answer.retries = parse_json(rows.text(14)).get<std::vector<std::string>>();
  return row;
}

Json RunStore::setup() const { return impl_->kept("setup"); }
Json RunStore::state() const { return impl_->kept("state"); }
Json RunStore::ending() const { return impl_->kept("ending"); }

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

std::optional<IterationRow> RunStore::last_iteration() const {
  store::Statement find = impl_->database.prepare("SELECT row FROM iteration ORDER BY number DESC LIMIT 1");
  store::Rows rows = find.query();
  return rows.next() ? std::optional(iteration_from(parse_json(rows.text(0)))) : std::nullopt;
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
