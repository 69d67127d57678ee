#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "voyager/run_rows.h"

namespace caravel::voyager {

/// Questions about the world that were answered. A question is known again by its words, whatever their case and signs,
/// or by a vector that is nearly the same.
class QuestionCache {
 public:
  static constexpr double kSameCosine = 0.95;

  void add(QuestionRow row);
  const QuestionRow* find(std::string_view question) const;
  const QuestionRow* find(const std::vector<float>& vector) const;

 private:
  struct Known {
    std::string words;
    QuestionRow row;  // its vector of length 1
  };
  std::vector<Known> known_;
};

}  // namespace caravel::voyager
