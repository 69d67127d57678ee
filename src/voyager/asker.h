#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "voyager/answers.h"
#include "voyager/calls.h"
#include "voyager/prompts.h"

namespace caravel::voyager {

/// How much a prompt says, where it is to be short: of what helps least first. 0: all.
class Room {
 public:
  static constexpr int kLevels = 4;
  explicit Room(int level) : level_(level) {}
  /// The one of four, from much to little.
  template <typename T>
  const T& of(const T& all, const T& much, const T& some, const T& little) const {
    return level_ == 0 ? all : level_ == 1 ? much : level_ == 2 ? some : little;
  }

 private:
  int level_;
};

/// What is filled in, for so much room.
using FillingsFor = std::function<Fillings(const Room&)>;

/// Asks by the prompts, as long as they may be, and again where an answer cannot be read.
class Asker {
 public:
  static constexpr int kMostTries = 5;

  Asker(const Prompts& prompts, Calls& calls, int64_t prompt_bytes)
      : prompts_(prompts), calls_(calls), prompt_bytes_(prompt_bytes) {}

  /// schema: empty for plain text.
  ModelAnswer ask(Role role, const FillingsFor& fillings, std::string_view schema = {}) const;

  /// Until `read` can: kMostTries times at most, each time with what was wrong; the last reason then.
  template <typename Read>
  auto ask_until_read(Role role, const FillingsFor& fillings, std::string_view schema, const Read& read) const {
    std::string wrong;
    for (int tries = 1;; ++tries) {
      const ModelAnswer answer = ask(
          role,
          [&](const Room& room) {
            Fillings filled = fillings(room);
            filled["wrong"] = wrong.empty() ? "" : "Your last answer could not be used: " + wrong + ".";
            return filled;
          },
          schema);
      auto value = read(answer);
      const auto* unreadable = std::get_if<Unreadable>(&value);
      if (unreadable == nullptr || tries == kMostTries) return value;
      wrong = unreadable->why;
      if (answer.is_cut) wrong += answer.goes_round ? ", and it went round in circles" : ", and it was cut: be brief";
    }
  }

  Calls& calls() const { return calls_; }

 private:
  const Prompts& prompts_;
  Calls& calls_;
  int64_t prompt_bytes_;
};

}  // namespace caravel::voyager
