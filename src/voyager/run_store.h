#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "voyager/run_rows.h"

namespace caravel::voyager {

/// The record of one run: RUN/voyage.db, one SQLite file. What was committed outlives a kill at any moment. The state
/// of the agent and the world's are written in one transaction with what led to them. One thread; one process writes,
/// which holds a lock on the folder.
class RunStore {
 public:
  /// Throws IoError, FormatError (another's file, another version). kWriting: makes folder and file where there are
  /// none, and removes what a killed process left of files that it was writing there; InvalidArgument where another
  /// process writes. kReading: it must be there (NotFound).
  enum class Open : uint8_t { kWriting, kReading };
  RunStore(const std::string& folder, Open how);
  ~RunStore();

  /// How the run was begun: {"world": {"name", "language", "fence", "extension", "tiers": [{"name", "items"}],
  /// "clock" of the last process, where it has one},
  /// "agent": its configuration, "budget": the last that it was given, "models": how they were opened, "names": theirs
  /// ("curriculum", "action", "critic", "embedder"), "prompts": files by role}; null: nothing is begun yet.
  Json setup() const;
  void set_setup(const Json& setup);

  // What is written. Between begin() and commit() all is one; a row alone is one as well. begin() takes back what an
  // earlier begin() left without its commit().
  void begin();
  void commit();
  void add(const CallRow& row);
  void add(const EmbeddingRow& row);
  void put(const StepRow& row);       // of its iteration and round: in place of what stood there
  void put(const IterationRow& row);  // of its number
  void add(const ItemRow& row);       // the first of its name stays
  void add(const SkillRow& row);
  void put_embedding(const SkillRow& row);  // of the version that is there
  void add(const QuestionRow& row);
  void put_state(const Json& agent);
  void put_world(std::string_view saved, const Observation& at);
  /// {"kind", "text"}: why it ended (voyager/agent.h); null: it goes on.
  void put_ending(const Json& ending);

  // What was written.
  Json state() const;   // null: none
  Json ending() const;  // null: it runs, or was killed
  std::optional<std::string> world() const;
  std::optional<Observation> observation() const;  // that the world was put with
  std::optional<CallRow> call(int64_t number) const;
  std::optional<EmbeddingRow> embedding(int64_t number) const;
  int64_t last_number() const;  // of calls and embeddings; 0: none
  RunTotals totals() const;
  std::vector<SkillRow> skills() const;  // every version, in the order in which they were learnt
  std::vector<QuestionRow> questions() const;
  std::vector<ItemRow> items() const;
  std::optional<StepRow> step(int64_t iteration, int round) const;
  std::optional<IterationRow> last_iteration() const;  // that was begun; nothing: none was
  // In order, one at a time: a run may hold a hundred thousand.
  void each_call(const std::function<void(const CallRow&)>& visit) const;
  void each_step(const std::function<void(const StepRow&)>& visit) const;
  void each_iteration(const std::function<void(const IterationRow&)>& visit) const;
  /// Where the player was at the start and after each step that was run.
  std::vector<Position> trail() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caravel::voyager
