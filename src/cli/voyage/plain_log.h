#pragma once

#include "cli/voyage/voyage_status.h"

namespace caravel::cli {

/// A voyage as lines on stderr, one for each thing that happens: where there is no terminal, or none is wanted.
class PlainLog final : public voyager::Watcher {
 public:
  /// status: must outlive it; it is told all first. A task that it is in the middle of is named at once.
  explicit PlainLog(VoyageStatus& status);

  void on(const voyager::Happening& what) override;

 private:
  void tell_task() const;
  void tell(const voyager::SkillImported& imported) const;
  void tell(const voyager::TaskBegun& begun) const;
  void tell(const voyager::AnswerPiece& piece) const;
  void tell(const voyager::ModelAnswered& answered) const;
  void tell(const voyager::CodeEnded& ended) const;
  void tell(const voyager::CodeJudged& judged) const;
  void tell(const voyager::TaskEnded& ended) const;

  VoyageStatus& status_;
};

}  // namespace caravel::cli
