#pragma once

#include <string_view>

namespace caravel::voyager {

// What answers are held to where a model can be.

inline constexpr std::string_view kProposeSchema =
    R"({"type":"object","properties":{"reasoning":{"type":"string"},"task":{"type":"string"}},"required":["reasoning","task"],"additionalProperties":false})";
inline constexpr std::string_view kQuestionsSchema =
    R"({"type":"object","properties":{"reasoning":{"type":"string"},"questions":{"type":"array","items":{"type":"string"}}},"required":["reasoning","questions"],"additionalProperties":false})";
inline constexpr std::string_view kDecomposeSchema =
    R"({"type":"object","properties":{"reasoning":{"type":"string"},"tasks":{"type":"array","items":{"type":"string"}}},"required":["reasoning","tasks"],"additionalProperties":false})";
inline constexpr std::string_view kCriticSchema =
    R"({"type":"object","properties":{"reasoning":{"type":"string"},"success":{"type":"boolean"},"critique":{"type":"string"}},"required":["reasoning","success","critique"],"additionalProperties":false})";

}  // namespace caravel::voyager
