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

/// What a field of the table says, one with a form.
GrammarSpec form_of(const RequestField& field, const Json& value, const std::string& path) {
  switch (field.form) {
    case Kind::kJsonObject:
      return as_boolean(value, path) ? spec_of(Kind::kJsonObject) : GrammarSpec{};
    case Kind::kJsonSchema:
      return json_schema(value, path);
    case Kind::kChoice:
      return choice(value, path);
    default:
      return spec_of(field.form, as_string(value, path));
  }
}

/// The forms that the table knows of `fields`: the whole request, or its object `outer`.
void take_forms(Fields& fields, std::string_view outer, Chosen& chosen) {
  for (const RequestField& field : request_fields()) {
    if (field.form == Kind::kNone || !field.surfaces.has(fields.surface()) || field.outer() != outer) continue;
    const std::string_view name = field.own_name();
    if (const Json* const value = fields.find(name)) {
      chosen.take(form_of(field, *value, fields.path(name)), fields.path(name));
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

}  // namespace

GrammarSpec parse_format(const Json& format, const std::string& path, FormatShape shape) {
  Fields fields(format, path);
  const std::string& type =
      as_one_of(fields.require("type"), fields.path("type"), {"text", "json_object", "json_schema"});
  const Json* const nested = shape == FormatShape::kNested ? fields.find("json_schema") : nullptr;
  // llama.cpp's server takes the schema beside either type.
  const Json* const beside = shape == FormatShape::kNested && nested == nullptr ? fields.find("schema") : nullptr;
  GrammarSpec spec;
  if (beside != nullptr && type != "text") {
    spec = json_schema(as_object(*beside, fields.path("schema")), fields.path("schema"));
  } else if (type == "json_object") {
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
    Fields parts = fields.inner(*outputs, "structured_outputs");
    take_forms(parts, "structured_outputs", chosen);
    parts.refuse_unknown();
  }
  take_forms(fields, "", chosen);
  return chosen.result();
}

}  // namespace caravel
