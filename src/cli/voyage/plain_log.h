#pragma once

#include "cli/voyage/voyage_status.h"

namespace caravel::cli {

/// A voyage as lines on stderr, one for each thing that happens: where there is no terminal, or none is wanted.
class PlainLog final : public voyager::Watcher {
 public:
  /// status: must outlive it; it is told all first. A task that it is in the middle of is named at once.
  explicit PlainLog(VoyageStatus& status);

  void on_iteration(const voyager::IterationRow& begun) override;
  void on_call(voyager::Role role, std::string_view model) override;
  void on_piece(std::string_view of_the_answer) override;
  void on_answer(const voyager::CallRow& call) override;
  void on_code(const voyager::StepRow& code) override;
  void on_world(voyager::Environment& world) override;
  void on_step(const voyager::StepRow& ended, voyager::Environment& world) override;
  void on_verdict(const voyager::StepRow& judged) override;
  void on_end(const voyager::IterationRow& ended) override;

 private:
  void tell_task() const;

  VoyageStatus& status_;
};

}  // namespace caravel::cli
