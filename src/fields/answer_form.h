#pragma once

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

/// A format as OpenAI writes it: {"type": "text" | "json_object" | "json_schema", ...}. nested: chat's form, in which
/// the schema is inside "json_schema"; else the form of /v1/responses, beside the type.
GrammarSpec parse_format(const Json& format, const std::string& path, bool nested);

}  // namespace caravel
