#pragma once

#include <memory>
#include <string>

#include "voyager/run_store.h"

namespace caravel::voyager {

/// A run's record in a folder of its own, which goes with it.
class MadeRun {
 public:
  explicit MadeRun(const std::string& name = "run");
  ~MadeRun();
  MadeRun(const MadeRun&) = delete;
  MadeRun& operator=(const MadeRun&) = delete;

  RunStore& store() { return *store_; }

 private:
  std::string folder_;
  std::unique_ptr<RunStore> store_;
};

/// Writes a small run: four iterations (done in two rounds, with a skill of two versions that the third uses; failed in
/// two; done in one; not ended), calls for each, four items that reach two tiers of three. `mark` stands in every text
/// that a model or a person may have written.
void write_small_run(RunStore& run, const std::string& mark);

}  // namespace caravel::voyager
