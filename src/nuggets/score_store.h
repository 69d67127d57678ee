#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "store/database.h"

namespace caravel::nuggets {

/// What stands of a continuation's log-probability: its sum, of which the bits are kept, over how many tokens.
struct StoredScore {
  int64_t continuation = 0;  // ScoreStore::continuation()
  double logprob = 0;
  int tokens = 0;
};

/// Scores of continuations, each after a prefix, by a model, in a file: what was computed once is found again, whatever
/// run, template or data it was computed for. Prefixes and continuations are known by the hashes of their tokens.
/// Several processes may use one file. One thread at a time.
class ScoreStore {
 public:
  /// Makes the file where there is none. model: what tells the model's numbers from another's. Throws as
  /// store::Database does.
  ScoreStore(const std::string& path, const std::string& model);

  /// The number by which the file knows a continuation.
  int64_t continuation(Hash128 tokens);
  /// All that stands of continuations after this prefix.
  std::vector<StoredScore> find(Hash128 prefix);
  /// What stands of one of them, however many there are.
  std::optional<StoredScore> find(Hash128 prefix, int64_t continuation);
  /// What stands already is left as it is. On disk when it returns.
  void add(Hash128 prefix, std::span<const StoredScore> scores);
  /// All that another file has, of every model. Throws as the constructor does; NotFound.
  void merge(const std::string& path);
  /// How many scores of this model stand.
  int64_t size();
  const std::string& path() const { return database_.path(); }

 private:
  int64_t number(store::Statement& find, store::Statement& add, Hash128 hash);

  store::Database database_;
  int64_t model_ = 0;
  store::Statement find_scores_, find_score_, find_prefix_, add_prefix_, find_continuation_, add_continuation_,
      add_score_;
};

}  // namespace caravel::nuggets
