#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "text/tokenizer_data.h"

namespace caravel::format {

/// What a tokenizer.json does to text before and after its model: fills the kind, normalizer, split steps and decoder
/// of `data` from "normalizer", "pre_tokenizer" and "decoder", prefix_ids, suffix_ids, bos_id and eos_id from
/// "post_processor". Throws FormatError, Unsupported (names the piece that Caravel lacks).
void read_tokenizer_pipeline(const nlohmann::json& root, const std::string& path, TokenizerData& data);

}  // namespace caravel::format
