#include "fields/answer_form.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

using Kind = GrammarSpec::Kind;

Json value_of(const RequestField& field) {
  if (field.form == Kind::kJsonObject) return true;
  if (field.form == Kind::kJsonSchema) return {{"type", "integer"}};
  if (field.form == Kind::kChoice) return {"yes", "no"};
  return "a text";
}

/// A request that has the field.
Json request_with(const RequestField& field, Json value) {
  Json request = Json::object();
  (field.is_inner() ? request[std::string(field.outer())] : request)[std::string(field.own_name())] = std::move(value);
  return request;
}

AnswerForm read(const Json& request) {
  Fields fields(request, Surface::kChat);
  return parse_answer_form(fields);
}

TEST(AnswerForm, EveryFormOfTheTableIsRead) {
  int rows = 0;
  for (const RequestField& field : request_fields()) {
    if (field.form == Kind::kNone || !field.surfaces.has(Surface::kChat)) continue;
    SCOPED_TRACE(field.name);
    ++rows;
    const AnswerForm form = read(request_with(field, value_of(field)));
    EXPECT_EQ(form.grammar.kind, field.form);
    EXPECT_EQ(form.field, field.name);
    EXPECT_EQ(read(request_with(field, nullptr)).grammar.kind, Kind::kNone);
    EXPECT_THROW(read(request_with(field, 7)), FieldError);
  }
  EXPECT_EQ(rows, 9);
}

TEST(AnswerForm, ASecondOneIsRefusedByBothNames) {
  const Json request = {{"structured_outputs", {{"regex", "a+"}}}, {"guided_choice", {"a"}}};
  try {
    read(request);
    FAIL() << "two forms";
  } catch (const FieldError& error) {
    EXPECT_EQ(error.path, "guided_choice");
    EXPECT_NE(std::string(error.what()).find("'structured_outputs.regex' already says"), std::string::npos);
  }
}

TEST(AnswerForm, LlamaCppsResponseFormatsAreTaken) {
  const Json schema = {{"type", "integer"}};
  const GrammarSpec openai =
      read({{"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", schema}}}}}})
          .grammar;
  EXPECT_EQ(openai.kind, Kind::kJsonSchema);
  for (const char* type : {"json_object", "json_schema"}) {
    EXPECT_EQ(read({{"response_format", {{"type", type}, {"schema", schema}}}}).grammar, openai);
  }
}

TEST(AnswerForm, NoObjectOfAnyKindIsNoForm) {
  const Json request = {{"structured_outputs", {{"json_object", false}}}, {"guided_regex", "a+"}};
  EXPECT_EQ(read(request).field, "guided_regex");
}

}  // namespace
}  // namespace caravel
