#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizer_data.h"

namespace caravel::text {

/// A vocabulary of tests/fixtures/tokenizers and what its reference implementation encodes with it.
struct TokenizerFixture {
  TokenizerData data;
  nlohmann::json json;  // the rest of the file: "golden" and the like
};

/// `name` is of a file there, e.g. "byte_level.json".
TokenizerFixture load_tokenizer_fixture(const std::string& name);

/// The texts that every "golden" encodes: thirty scripts, emoji, code, control characters, runs of white space.
const std::vector<std::string>& fixture_texts();

}  // namespace caravel::text
