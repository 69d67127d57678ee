#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "caravel/request.h"
#include "text/tokenizer_data.h"

namespace caravel::format {

/// The text side of a Hugging Face folder: tokenizer.json; the special tokens of tokenizer_config.json, else of
/// config.json (`config`); the chat templates of chat_template.jinja and additional_chat_templates, else of
/// tokenizer_config.json (of several without a "default" the first is it), else of chat_template.json. Without a
/// tokenizer.json: no tokens. Throws FormatError, Unsupported, IoError.
TokenizerData read_hf_tokenizer(const std::filesystem::path& folder, const nlohmann::json& config);

/// generation_config.json's settings (do_sample false means temperature 0); every id that it, config.json or the
/// tokenizer call the end. Throws FormatError, IoError.
GenerationDefaults read_hf_generation(const std::filesystem::path& folder, const nlohmann::json& config,
                                      const TokenizerData& tokenizer);

}  // namespace caravel::format
