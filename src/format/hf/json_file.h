#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace caravel::format {

/// Parses `text`; `path` is for messages. Throws FormatError (with the byte), also where values nest more than 200
/// deep. callback: nlohmann's, which may take values out while they are parsed.
nlohmann::json parse_json(std::string_view text, const std::string& path,
                          const nlohmann::json::parser_callback_t& callback = nullptr);

/// A member that must be true or false; none where it is absent or null. Throws FormatError, which names it.
std::optional<bool> truth_of(const nlohmann::json& object, const char* key, const std::string& path);

/// Reads a JSON file whose outermost value is an object. Throws NotFound, IoError, FormatError.
nlohmann::json read_json_object(const std::filesystem::path& path);

/// The same, or null where there is no such file.
nlohmann::json read_json_object_if_there(const std::filesystem::path& path);

}  // namespace caravel::format
