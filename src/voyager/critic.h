#pragma once

#include <string>

#include "voyager/asker.h"

namespace caravel::voyager {

/// Judges tasks from the state before and after (section 2.3, self-verification).
class Critic {
 public:
  explicit Critic(const Asker& asker) : asker_(asker) {}

  /// An Unreadable after so many malformed answers.
  Readable<Verdict> judge(const std::string& task, const std::string& context, const Observation& before,
                          const Observation& after) const;

 private:
  const Asker& asker_;
};

}  // namespace caravel::voyager
