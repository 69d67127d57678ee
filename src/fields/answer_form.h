#pragma once

#include <cstdint>
#include <string>

#include "caravel/request.h"
#include "fields/fields.h"

namespace caravel {

struct AnswerForm {
  GrammarSpec grammar;
  std::string field;  // that says it; empty: none
};

/// What the answer must look like, by OpenAI's response_format, vLLM's structured_outputs, or vLLM's older guided_json,
/// guided_regex, guided_choice and guided_grammar. Throws FieldError where more than one of them says something.
AnswerForm parse_answer_form(Fields& fields);

/// 400: the field `path` says it where `by` did already.
FieldError form_is_given(const std::string& path, const std::string& by);

/// Where the name and the schema of a format stand.
enum class FormatShape : uint8_t {
  kNested,   // in an object "json_schema", as chats have it; or, without a name, beside the type
  kFlat,     // beside the type, as /v1/responses has them
  kUnnamed,  // beside the type, without a name, as Anthropic has it
};

/// {"type": "text" | "json_object" | "json_schema", ...}.
GrammarSpec parse_format(const Json& format, const std::string& path, FormatShape shape);

}  // namespace caravel
