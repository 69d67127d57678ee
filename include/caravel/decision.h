#pragma once

#include <string>

namespace caravel {

/// Something that was decided about a model, for people: `caravel inspect` shows each.
struct Decision {
  std::string what;   // "beginning of sequence"
  std::string value;  // "<s> (1), before plain prompts"
  std::string why;    // "tokenizer_config.json"
  std::string flag;   // of the command line, that says otherwise; empty: there is none
};

}  // namespace caravel
