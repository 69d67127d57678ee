#include "fields/answer_form.h"

#include <fmt/format.h>

#include <utility>

#include "fields/empty_array.h"

namespace caravel {
namespace {

using Kind = GrammarSpec::Kind;

GrammarSpec spec_of(Kind kind, std::string text = "") {
  GrammarSpec spec;
  spec.kind = kind;
  spec.text = std::move(text);
  return spec;
}

GrammarSpec json_schema(const Json& schema, const std::string& path) {
  // vLLM takes the schema as JSON or as a text that holds it.
  if (schema.is_string()) return spec_of(Kind::kJsonSchema, schema.get<std::string>());
  if (!schema.is_object() && !schema.is_boolean()) throw wrong_type(schema, path, "an object");
  return spec_of(Kind::kJsonSchema, to_text(schema));
}

GrammarSpec choice(const Json& value, const std::string& path) {
  GrammarSpec spec = spec_of(Kind::kChoice);
  spec.choices = as_strings(value, path);
  if (spec.choices.empty()) throw empty_array(path);
  return spec;
}

/// Collects what several fields say, and refuses a second one.
class Chosen {
 public:
  void take(GrammarSpec spec, const std::string& path) {
    if (spec.kind == Kind::kNone) return;
    if (!form_.field.empty()) throw form_is_given(path, form_.field);
    form_ = {.grammar = std::move(spec), .field = path};
  }
  AnswerForm result() { return std::move(form_); }

 private:
  AnswerForm form_;
};

/// The fields of vLLM's structured_outputs, whose older names begin with `prefix`.
void parse_parts(Fields& fields, std::string_view prefix, Chosen& chosen) {
  struct Part {
    std::string_view name;    // without the prefix
    std::string_view guided;  // with it
    GrammarSpec (*make)(const Json& value, const std::string& path);
  };
  static constexpr Part kParts[] = {
      {"json", "guided_json", json_schema},
      {"regex", "guided_regex",
       [](const Json& value, const std::string& path) { return spec_of(Kind::kRegex, as_string(value, path)); }},
      {"choice", "guided_choice", choice},
      {"grammar", "guided_grammar",
       [](const Json& value, const std::string& path) { return spec_of(Kind::kGbnf, as_string(value, path)); }},
  };
  for (const Part& part : kParts) {
    const std::string_view name = prefix.empty() ? part.name : part.guided;
    if (const Json* value = fields.find(name)) {
      chosen.take(part.make(*value, fields.path(name)), fields.path(name));
    }
  }
}

/// A schema, and what may stand beside it, none of which changes the answer: a schema is enforced, strict or not.
GrammarSpec named_schema(Fields& fields, FormatShape shape) {
  if (shape != FormatShape::kUnnamed) as_string(fields.require("name"), fields.path("name"));
  fields.string("name");
  fields.string("description");
  fields.boolean("strict", false);
  return json_schema(as_object(fields.require("schema"), fields.path("schema")), fields.path("schema"));
}

void parse_structured_outputs(Fields fields, Chosen& chosen) {
  parse_parts(fields, "", chosen);
  if (fields.boolean("json_object", false)) {
    chosen.take(spec_of(Kind::kJsonObject), fields.path("json_object"));
  }
  fields.refuse_unknown();
}

}  // namespace

GrammarSpec parse_format(const Json& format, const std::string& path, FormatShape shape) {
  Fields fields(format, path);
  const std::string& type =
      as_one_of(fields.require("type"), fields.path("type"), {"text", "json_object", "json_schema"});
  const Json* const nested = shape == FormatShape::kNested ? fields.find("json_schema") : nullptr;
  GrammarSpec spec;
  if (type == "json_object") {
    spec = spec_of(Kind::kJsonObject);
  } else if (type == "json_schema") {
    if (shape != FormatShape::kNested) {
      spec = named_schema(fields, shape);
    } else if (nested == nullptr) {
      throw missing_field(fields.path("json_schema"));
    } else {
      Fields inner(*nested, fields.path("json_schema"));
      spec = named_schema(inner, shape);
      inner.refuse_unknown();
    }
  }
  fields.refuse_unknown();
  return spec;
}

FieldError form_is_given(const std::string& path, const std::string& by) {
  return bad_field(path, fmt::format("Invalid '{}': '{}' already says what the answer must look like.", path, by));
}

AnswerForm parse_answer_form(Fields& fields) {
  Chosen chosen;
  if (const Json* format = fields.find("response_format")) {
    chosen.take(parse_format(*format, fields.path("response_format"), FormatShape::kNested),
                fields.path("response_format"));
  }
  if (const Json* outputs = fields.find("structured_outputs")) {
    parse_structured_outputs(fields.inner(*outputs, "structured_outputs"), chosen);
  }
  parse_parts(fields, "guided_", chosen);
  return chosen.result();
}

}  // namespace caravel
