#include "nuggets/score_store.h"

#include <bit>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace caravel::nuggets {
namespace {

// A score is some twenty bytes: its key is three small numbers, and its logarithm the 64 bits of a double.
constexpr store::Schema kSchema{.application = 0x43764773,  // "CvGs"
                                .version = 1,
                                .create = R"sql(
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE prefix (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE);
CREATE TABLE continuation (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE);
CREATE TABLE score (
  model INTEGER NOT NULL, prefix INTEGER NOT NULL, continuation INTEGER NOT NULL,
  logprob_bits INTEGER NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY (model, prefix, continuation)) WITHOUT ROWID;
)sql"};

std::span<const std::byte> bytes_of(const Hash128& hash) { return std::as_bytes(std::span(&hash, 1)); }

std::optional<int64_t> only_number(store::Rows rows) {
  std::optional<int64_t> number;
  while (rows.next()) number = rows.integer(0);
  return number;
}

}  // namespace

ScoreStore::ScoreStore(const std::string& path, const std::string& model)
    : database_(path, kSchema),
      find_scores_(database_.prepare("SELECT continuation, logprob_bits, tokens FROM score WHERE model = ? AND "
                                     "prefix = (SELECT id FROM prefix WHERE hash = ?)")),
      find_score_(database_.prepare("SELECT logprob_bits, tokens FROM score WHERE model = ? AND "
                                    "prefix = (SELECT id FROM prefix WHERE hash = ?) AND continuation = ?")),
      find_prefix_(database_.prepare("SELECT id FROM prefix WHERE hash = ?")),
      add_prefix_(database_.prepare("INSERT OR IGNORE INTO prefix (hash) VALUES (?)")),
      find_continuation_(database_.prepare("SELECT id FROM continuation WHERE hash = ?")),
      add_continuation_(database_.prepare("INSERT OR IGNORE INTO continuation (hash) VALUES (?)")),
      add_score_(database_.prepare("INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?, ?)")) {
  store::Statement find = database_.prepare("SELECT id FROM model WHERE name = ?");
  std::optional<int64_t> known = only_number(find.query({model}));
  if (!known) {
    store::Transaction transaction(database_);
    database_.prepare("INSERT OR IGNORE INTO model (name) VALUES (?)").run({model});
    known = only_number(find.query({model}));
    transaction.commit();
  }
  model_ = known.value();
}

int64_t ScoreStore::number(store::Statement& find, store::Statement& add, Hash128 hash) {
  if (const auto known = only_number(find.query({bytes_of(hash)}))) return *known;
  add.run({bytes_of(hash)});
  return only_number(find.query({bytes_of(hash)})).value();
}

int64_t ScoreStore::continuation(Hash128 tokens) { return number(find_continuation_, add_continuation_, tokens); }

std::vector<StoredScore> ScoreStore::find(Hash128 prefix) {
  std::vector<StoredScore> scores;
  store::Rows rows = find_scores_.query({model_, bytes_of(prefix)});
  while (rows.next()) {
    scores.push_back({.continuation = rows.integer(0),
                      .logprob = std::bit_cast<double>(rows.integer(1)),
                      .tokens = static_cast<int>(rows.integer(2))});
  }
  return scores;
}

std::optional<StoredScore> ScoreStore::find(Hash128 prefix, int64_t continuation) {
  std::optional<StoredScore> score;
  store::Rows rows = find_score_.query({model_, bytes_of(prefix), continuation});
  while (rows.next()) {
    score = {.continuation = continuation,
             .logprob = std::bit_cast<double>(rows.integer(0)),
             .tokens = static_cast<int>(rows.integer(1))};
  }
  return score;
}

void ScoreStore::add(Hash128 prefix, std::span<const StoredScore> scores) {
  store::Transaction transaction(database_);
  const int64_t prefix_number = number(find_prefix_, add_prefix_, prefix);
  for (const StoredScore& score : scores) {
    add_score_.run({model_, prefix_number, score.continuation, std::bit_cast<int64_t>(score.logprob), score.tokens});
  }
  transaction.commit();
}

void ScoreStore::merge(const std::string& path) {
  if (!is_there(path)) throw fail<NotFound>("{}: is not there: a run's scores are in its folder's scores.db", path);
  // Opened as this one was, so that what is no store of scores, or of another version, is told of by its name.
  { const store::Database other(path, kSchema); }
  database_.prepare("ATTACH ? AS other").run({path});
  {
    store::Transaction transaction(database_);
    for (const char* sql : {"INSERT OR IGNORE INTO model (name) SELECT name FROM other.model",
                            "INSERT OR IGNORE INTO prefix (hash) SELECT hash FROM other.prefix",
                            "INSERT OR IGNORE INTO continuation (hash) SELECT hash FROM other.continuation",
                            "INSERT OR IGNORE INTO score SELECT m.id, p.id, c.id, s.logprob_bits, s.tokens "
                            "FROM other.score s "
                            "JOIN other.model om ON om.id = s.model JOIN main.model m ON m.name = om.name "
                            "JOIN other.prefix op ON op.id = s.prefix JOIN main.prefix p ON p.hash = op.hash "
                            "JOIN other.continuation oc ON oc.id = s.continuation "
                            "JOIN main.continuation c ON c.hash = oc.hash"}) {
      database_.prepare(sql).run();
    }
    transaction.commit();
  }
  database_.prepare("DETACH other").run();
}

int64_t ScoreStore::size() {
  store::Statement count = database_.prepare("SELECT count(*) FROM score WHERE model = ?");
  return only_number(count.query({model_})).value();
}

}  // namespace caravel::nuggets
