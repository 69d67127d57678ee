#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "base/overloaded.h"
#include "fields/field_schema.h"
#include "fields/fields.h"
#include "fields/sampling.h"

namespace caravel {
namespace {

using P = SamplingParams;

constexpr Surface kSurfaces[] = {Surface::kCompletions, Surface::kChat,       Surface::kResponses, Surface::kMessages,
                                 Surface::kCountTokens, Surface::kEmbeddings, Surface::kScore,     Surface::kTokenize,
                                 Surface::kDetokenize,  Surface::kRows,       Surface::kFlags,     Surface::kTerminal};

TEST(RequestFields, ANameStandsOnASurfaceOnce) {
  std::set<std::tuple<Surface, std::string_view>> seen;
  for (const RequestField& field : request_fields()) {
    for (const Surface surface : kSurfaces) {
      if (field.surfaces.has(surface)) {
        EXPECT_TRUE(seen.emplace(surface, field.name).second) << field.name;
      }
    }
  }
}

TEST(RequestFields, TypeAndMemberAgree) {
  for (const RequestField& field : request_fields()) {
    SCOPED_TRACE(field.name);
    using enum FieldType;
    const FieldType type = field.type;
    const bool agrees =
        std::visit(Overloaded{[](std::monostate) { return true; }, [&](bool P::*) { return type == kBoolean; },
                              [&](std::optional<int> P::*) { return type == kInteger; },
                              [&](std::optional<float> P::*) { return type == kNumber; },
                              [&](std::optional<uint64_t> P::*) { return type == kSeed; },
                              [&](std::vector<std::string> P::*) { return type == kTexts || type == kTextOrTexts; },
                              [&](std::vector<int32_t> P::*) { return type == kTokenIds; },
                              [&](std::vector<std::pair<int32_t, float>> P::*) { return type == kLogitBias; }},
                   field.member);
    EXPECT_TRUE(agrees);
    if (field.surfaces.overlaps(kCommandLine)) {
      EXPECT_NE(std::holds_alternative<std::monostate>(field.member), field.form == GrammarSpec::Kind::kNone);
    }
    EXPECT_EQ(field.use == FieldUse::kRefused, !field.instead.empty());
    EXPECT_EQ(field.use != FieldUse::kRead, field.help.empty());
    EXPECT_TRUE(Json::accept(field.harmless));
    if (!field.schema.empty()) {
      EXPECT_TRUE(type == kJson && Json::accept(field.schema));
    }
  }
}

TEST(RequestFields, InnerOnesAreOfAnObjectThatIsRead) {
  for (const RequestField& field : request_fields()) {
    if (!field.is_inner()) continue;
    SCOPED_TRACE(field.name);
    EXPECT_EQ(field.use == FieldUse::kRead, field.form != GrammarSpec::Kind::kNone);
    const std::string_view outer = field.name.substr(0, field.name.find('.'));
    for (const Surface surface : kSurfaces) {
      if (!field.surfaces.has(surface)) continue;
      const RequestField* const object = find_field(outer, surface);
      EXPECT_TRUE(object != nullptr && object->use == FieldUse::kRead);
      EXPECT_FALSE(request_schema(surface)["properties"].contains(std::string(field.name)));
    }
  }
}

TEST(RequestFields, DefaultsAreInRange) {
  for (const RequestField& field : request_fields()) {
    for (const Surface surface : kSurfaces) {
      const auto value = field.surfaces.has(surface) ? field.default_on(surface) : std::nullopt;
      if (value) {
        EXPECT_TRUE(field.range_on(surface).has(*value)) << field.name << " is " << *value;
      }
    }
  }
}

/// A whole request with the field, and what else the surface requires.
Json request_with(Surface surface, std::string_view name, Json value) {
  Json request = Json::object();
  if (surface == Surface::kMessages) request["max_tokens"] = 1;
  request[std::string(name)] = std::move(value);
  return request;
}

std::string refusal(Surface surface, std::string_view name, Json value) {
  const Json request = request_with(surface, name, std::move(value));
  Fields fields(request, surface);
  SamplingParams params;
  try {
    read_sampling(fields, surface, params);
  } catch (const FieldError& error) {
    return error.path + " " + error.code;
  }
  return "";
}

TEST(RequestFields, TheSchemaSaysWhatIsRead) {
  for (const RequestField& field : request_fields()) {
    if (std::holds_alternative<std::monostate>(field.member)) continue;
    for (const Surface surface :
         {Surface::kCompletions, Surface::kChat, Surface::kResponses, Surface::kMessages, Surface::kRows}) {
      if (!field.surfaces.has(surface)) continue;
      SCOPED_TRACE(field.name);
      const Json schema = field_schema(field, surface);
      const std::string kind = field.type == FieldType::kInteger ? "integer" : "decimal";
      const std::string below = std::string(field.name) + " " + kind + "_below_min_value";
      const std::string above = std::string(field.name) + " " + kind + "_above_max_value";
      if (schema.contains("minimum")) {
        EXPECT_EQ(refusal(surface, field.name, schema["minimum"]), "");
        EXPECT_EQ(refusal(surface, field.name, schema["minimum"].get<int>() - 1), below);
      }
      if (schema.contains("exclusiveMinimum")) {
        EXPECT_EQ(refusal(surface, field.name, schema["exclusiveMinimum"]), below);
      }
      if (schema.contains("maximum")) {
        EXPECT_EQ(refusal(surface, field.name, schema["maximum"]), "");
        EXPECT_EQ(refusal(surface, field.name, schema["maximum"].get<int64_t>() + 1), above);
      }
      if (schema.contains("default")) {
        EXPECT_EQ(refusal(surface, field.name, schema["default"]), "");
      }
      EXPECT_EQ(refusal(surface, field.name, Json::array({Json::array()})).empty(), false);
    }
  }
}

TEST(FieldSchema, IsAsTheSurfaceHasIt) {
  const RequestField& temperature = *find_field("temperature", Surface::kChat);
  for (const Surface surface : {Surface::kChat, Surface::kRows}) {
    EXPECT_EQ(
        field_schema(temperature, surface),
        Json::parse(R"({"type": ["number", "null"], "minimum": 0.0, "maximum": 2.0, "description": "0: greedy"})"));
  }
  // The server's flags may say something else.
  EXPECT_FALSE(
      field_schema(*find_field("max_tokens", Surface::kCompletions), Surface::kCompletions).contains("default"));
  EXPECT_EQ(field_schema(*find_field("n", Surface::kChat), Surface::kChat)["default"], 1);
  EXPECT_EQ(field_schema(*find_field("max_tokens", Surface::kMessages), Surface::kMessages)["type"], "integer");
}

TEST(FieldSchema, OfAFieldReadByHandHasTheTablesRange) {
  const Json schema = field_schema(*find_field("logprobs", Surface::kRows), Surface::kRows);
  EXPECT_EQ(schema["minimum"], 0);
  EXPECT_EQ(schema["maximum"], 128);
}

TEST(FieldSchema, OfARequestHasWhatIsServed) {
  const Json schema = request_schema(Surface::kMessages);
  EXPECT_EQ(schema["required"], Json({"messages", "max_tokens"}));
  EXPECT_EQ(schema["additionalProperties"], Json({{"type", "null"}}));
  EXPECT_TRUE(schema["properties"].contains("stop_sequences"));
  EXPECT_FALSE(schema["properties"].contains("n"));
  const Json chat = request_schema(Surface::kChat)["properties"];
  EXPECT_TRUE(chat.contains("user"));        // taken
  EXPECT_FALSE(chat.contains("functions"));  // refused whatever it is
  EXPECT_TRUE(chat.contains("modalities"));  // refused but for one value
}

}  // namespace
}  // namespace caravel
