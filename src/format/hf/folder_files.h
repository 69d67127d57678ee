#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace caravel::format {

/// Which of `names` are files of the folder, for a message: "tokenizer.model, vocab.json"; empty: none.
std::string names_there(const std::filesystem::path& folder, std::initializer_list<std::string_view> names);

/// Why a folder has no tokenizer that Caravel reads: which file is wanted, and which are there in its place.
std::string missing_tokenizer(const std::filesystem::path& folder);

/// The same of its weights.
std::string missing_weights(const std::filesystem::path& folder);

}  // namespace caravel::format
