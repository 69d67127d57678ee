#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "fields/request_field.h"
#include "server/harness.h"
#include "server/routes.h"

// What a request costs may grow with what its client gives by n log n at most: lists of 1,000 and of 100,000 entries
// are given to every field that takes one.

namespace caravel::server {
namespace {

struct Grown {
  const char* field;
  const char* path;
  std::function<Json(int)> body;  // of so many entries
};

/// Changes all words, so that no cache knows a body.
char first_letter = 'a';

/// Different texts of one length.
std::string word(int i) { return fmt::format("{}{:06}", first_letter, i); }

Json list(int count, const std::function<Json(int)>& entry) {
  Json entries = Json::array();
  for (int i = 0; i < count; ++i) entries.push_back(entry(i));
  return entries;
}
Json words(int count) { return list(count, word); }
Json ids(int count) {
  return list(count, [](int i) { return i % 320; });
}
Json members(int count, const std::function<Json(int)>& value) {
  Json::object_t object;  // whose own insertion looks for the key from the beginning
  for (int i = 0; i < count; ++i) object.Container::emplace_back(word(i), value(i));
  return object;
}
Json members(int count, const Json& value) {
  return members(count, [&](int) { return value; });
}

constexpr const char* kCompletionsPath = "/v1/completions";
constexpr const char* kChatPath = "/v1/chat/completions";
constexpr const char* kResponsesPath = "/v1/responses";
constexpr const char* kMessagesPath = "/v1/messages";

Json completion(const char* field, Json value) {
  return {{"prompt", "x"}, {"max_tokens", 1}, {field, std::move(value)}};
}
Json chat(const char* field, Json value) {
  Json body = {{"messages", {{{"role", "user"}, {"content", "x"}}}}, {"max_tokens", 1}};
  body[field] = std::move(value);
  return body;
}
Json response(const char* field, Json value) {
  return {{"input", "x"}, {"max_output_tokens", 1}, {field, std::move(value)}};
}
Json formed(Json schema) { return completion("structured_outputs", {{"json", std::move(schema)}}); }
Json message(const Json& content) { return {{"role", "user"}, {"content", content}}; }
Json parts(int count) {
  return list(count, [](int) { return Json{{"type", "text"}, {"text", "x"}}; });
}
Json turns(int count) {
  return list(count, [](int i) { return Json{{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", "x"}}; });
}
Json tool(const std::string& name, Json schema) {
  return {{"type", "function"}, {"function", {{"name", name}, {"parameters", std::move(schema)}}}};
}

const std::vector<Grown>& grown() {
  static const std::vector<Grown> all = {
      {"prompt", kCompletionsPath, [](int n) { return completion("prompt", words(n)); }},
      {"prompt", kCompletionsPath, [](int n) { return completion("prompt", ids(n)); }},
      {"prompt", kCompletionsPath, [](int n) { return completion("prompt", std::string(8UL * n, 'a')); }},
      {"prompt_components", kCompletionsPath,
       [](int n) {
         Json body = {{"max_tokens", 1}};
         body["prompt_components"] = {
             {"segments", list(n, [](int i) { return Json{{"type", "text"}, {"text", word(i)}}; })}};
         return body;
       }},
      {"stop", kCompletionsPath, [](int n) { return completion("stop", words(n)); }},
      {"stop_token_ids", kCompletionsPath, [](int n) { return completion("stop_token_ids", ids(n)); }},
      {"allowed_token_ids", kCompletionsPath, [](int n) { return completion("allowed_token_ids", ids(n)); }},
      {"bad_words", kCompletionsPath, [](int n) { return completion("bad_words", words(n)); }},
      {"logit_bias", kCompletionsPath,
       [](int n) {
         Json::object_t bias;
         for (int i = 0; i < n; ++i) bias.Container::emplace_back(std::to_string(i), 1);
         return completion("logit_bias", bias);
       }},
      {"guided_choice", kCompletionsPath, [](int n) { return completion("guided_choice", words(n)); }},
      {"structured_outputs", kCompletionsPath,
       [](int n) { return completion("structured_outputs", {{"choice", words(n)}}); }},
      {"structured_outputs", kCompletionsPath,
       [](int n) {
         std::string rules = "root ::= \"x\"\n";
         for (int i = 0; i < n; ++i) rules += fmt::format("r{} ::= \"a\"\n", i);
         return completion("structured_outputs", {{"grammar", rules}});
       }},
      {"guided_grammar", kCompletionsPath,
       [](int n) {
         std::string rule = "root ::= \"x\"";
         for (int i = 0; i < n; ++i) rule += fmt::format(" | \"{}\"", word(i));
         return completion("guided_grammar", rule);
       }},
      {"guided_regex", kCompletionsPath,
       [](int n) {
         std::string regex = "x";
         for (int i = 0; i < n; ++i) regex += "|" + word(i);
         return completion("guided_regex", regex);
       }},
      {"guided_json", kCompletionsPath, [](int n) { return completion("guided_json", {{"enum", words(n)}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"type", "object"}, {"properties", members(n, {{"type", "null"}})}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed({{"type", "object"}, {"properties", members(n, {{"type", "null"}})}, {"required", words(n)}});
       }},
      {"guided_json", kCompletionsPath, [](int n) { return formed({{"type", "object"}, {"required", words(n)}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"anyOf", list(n, [](int i) { return Json{{"const", word(i)}}; })}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"oneOf", list(n, [](int i) { return Json{{"const", word(i)}}; })}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"allOf", list(n, [](int i) { return Json{{"minLength", i % 3}}; })}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed(
             {{"allOf", {{{"enum", words(n)}}, {{"enum", list(n, [&](int i) { return word(i + n / 2); })}}}}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed({{"enum", words(n)}, {"not", {{"enum", list(n, [&](int i) { return word(i + n / 2); })}}}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed({{"type", "array"}, {"prefixItems", list(n, [](int) { return Json{{"type", "null"}}; })}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed({{"type", "array"}, {"uniqueItems", true}, {"items", {{"enum", words(n)}}}, {"maxItems", 2}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"type", "null"}, {"$defs", members(n, {{"type", "null"}})}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         const auto reference = [&](int i) { return Json{{"$ref", "#/$defs/" + word(n - 1 - i)}}; };
         return formed(
             {{"type", "object"}, {"properties", members(n, reference)}, {"$defs", members(n, {{"type", "null"}})}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         const auto definition = [](int i) { return Json{{"$anchor", word(i)}, {"type", "null"}}; };
         return formed({{"type", "array"},
                        {"prefixItems", list(50, [&](int i) { return Json{{"$ref", "#" + word(n - 1 - i)}}; })},
                        {"$defs", members(n, definition)}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         return formed({{"type", "object"},
                        {"properties", members(n, {{"type", "null"}})},
                        {"propertyNames", {{"enum", words(n)}}}});
       }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"type", "object"}, {"propertyNames", {{"enum", words(n)}}}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"allOf", list(n, [](int i) { return Json{{"required", {word(i)}}}; })}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) { return formed({{"type", "object"}, {"patternProperties", members(n, {{"type", "null"}})}}); }},
      {"guided_json", kCompletionsPath,
       [](int n) {
         const auto half = [&](const Json& value) { return Json{{"patternProperties", members(n / 2, value)}}; };
         return formed({{"allOf", {half({{"type", "null"}}), half({{"type", "boolean"}})}}});
       }},
      {"guided_json", kCompletionsPath, [](int n) { return formed(members(n, 1)); }},
      {"response_format", kChatPath,
       [](int n) {
         return chat("response_format",
                     {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", {{"enum", words(n)}}}}}});
       }},
      {"text", kResponsesPath,
       [](int n) {
         return response("text",
                         {{"format", {{"type", "json_schema"}, {"name", "x"}, {"schema", {{"enum", words(n)}}}}}});
       }},
      {"output_config", kMessagesPath,
       [](int n) {
         return chat("output_config", {{"format", {{"type", "json_schema"}, {"schema", {{"enum", words(n)}}}}}});
       }},
      {"output_format", kMessagesPath,
       [](int n) { return chat("output_format", {{"type", "json_schema"}, {"schema", {{"enum", words(n)}}}}); }},
      {"stop_sequences", kMessagesPath, [](int n) { return chat("stop_sequences", words(n)); }},
      {"include", kResponsesPath, [](int n) { return response("include", words(n)); }},
      {"messages", kChatPath, [](int n) { return chat("messages", turns(n + 1)); }},
      {"messages", kChatPath, [](int n) { return chat("messages", Json::array({message(parts(n))})); }},
      {"messages", kChatPath,
       [](int n) {
         const auto call = [](int i) {
           return Json{{"id", word(i)}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", "{}"}}}};
         };
         Json messages = {message("x"), {{"role", "assistant"}, {"tool_calls", list(n, call)}}};
         for (int i = 0; i < n; ++i) {
           messages.push_back({{"role", "tool"}, {"tool_call_id", word(n - 1 - i)}, {"content", "y"}});
         }
         return chat("messages", messages);
       }},
      {"messages", kMessagesPath, [](int n) { return chat("messages", turns(n + 1)); }},
      {"messages", kMessagesPath, [](int n) { return chat("messages", Json::array({message(parts(n))})); }},
      {"messages", "/v1/messages/count_tokens", [](int n) { return Json{{"messages", turns(n + 1)}}; }},
      {"system", kMessagesPath, [](int n) { return chat("system", parts(n)); }},
      {"documents", kChatPath, [](int n) { return chat("documents", parts(n)); }},
      {"chat_template_kwargs", kChatPath, [](int n) { return chat("chat_template_kwargs", members(n, 1)); }},
      {"input", "/v1/embeddings", [](int n) { return Json{{"input", ids(n)}}; }},
      {"tools", kChatPath,
       [](int n) { return chat("tools", list(n, [](int i) { return tool(word(i), Json::object()); })); }},
      {"tools", kChatPath,
       [](int n) {
         return chat("tools", {tool("f", {{"type", "object"}, {"properties", members(n, {{"type", "null"}})}})});
       }},
      {"tool_choice", kChatPath,
       [](int n) {
         Json body = chat("tools", list(n, [](int i) { return tool(word(i), Json::object()); }));
         body["tool_choice"] = {{"type", "allowed_tools"},
                                {"allowed_tools", {{"mode", "auto"}, {"tools", list(n, [](int i) {
                                                                        return Json{{"type", "function"},
                                                                                    {"function", {{"name", word(i)}}}};
                                                                      })}}}};
         return body;
       }},
      {"input", kResponsesPath, [](int n) { return response("input", turns(n + 1)); }},
      {"input", kResponsesPath, [](int n) { return response("input", Json::array({message(parts(n))})); }},
      {"input", "/v1/embeddings", [](int n) { return Json{{"input", words(n)}}; }},
      {"input", "/v1/embeddings", [](int n) { return Json{{"input", list(n, [](int) { return ids(1); })}}; }},
      {"continuations", "/v1/score", [](int n) { return Json{{"prefix", "x"}, {"continuations", words(n)}}; }},
      {"prefix", "/v1/score", [](int n) { return Json{{"prefix", ids(n)}, {"continuations", {"x"}}}; }},
      {"tokens", "/detokenize", [](int n) { return Json{{"tokens", ids(n)}}; }},
      {"prompt", "/tokenize", [](int n) { return Json{{"prompt", std::string(8UL * n, 'a')}}; }},
      {"metadata", kChatPath, [](int n) { return chat("metadata", members(n, "x")); }},
  };
  return all;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Of the whole process, engine and masks among it; the least of some tries.
double cost_of(Harness& harness, const Route& route, const Grown& grow, int count, int tries) {
  double least = 1e9;
  for (int i = 0; i < tries; ++i) {
    first_letter = first_letter == 'z' ? 'a' : static_cast<char>(first_letter + 1);
    const std::string body = to_text(grow.body(count));
    const double begin = processor_seconds();
    const http::Response response = harness.call(route.endpoint, body, std::string(route.path));
    least = std::min(least, processor_seconds() - begin);
    EXPECT_LT(response.status, 500) << response.body.substr(0, 300);
  }
  return least;
}

TEST(Growth, IsNoWorseThanNLogNInAnyList) {
  Harness harness;
  for (const Grown& grow : grown()) {
    const Route* route = find_route("POST", grow.path);
    ASSERT_NE(route, nullptr);
    const double small = cost_of(harness, *route, grow, 1'000, 3);
    const double large = cost_of(harness, *route, grow, 100'000, 1);
    // n log n is 167 times, n squared 10,000; below a millisecond the rest of a request counts for more.
    EXPECT_LT(large, 1000 * std::max(small, 0.001))
        << grow.path << " " << grow.field << ": " << 1e3 * small << " ms for 1,000 entries, " << 1e3 * large
        << " ms for 100,000 in " << to_text(grow.body(3)).substr(0, 200);
  }
  harness.expect_all_free();
}

TEST(Growth, EveryFieldThatTakesAListIsAmongThem) {
  std::set<std::string_view> shown;
  for (const Grown& grow : grown()) shown.insert(grow.field);
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.overlaps(kHttp) || field.use != FieldUse::kRead || field.is_inner()) continue;
    const bool listed = field.type == FieldType::kTexts || field.type == FieldType::kTextOrTexts ||
                        field.type == FieldType::kTokenIds || field.type == FieldType::kLogitBias ||
                        field.schema.find("array") != std::string_view::npos ||
                        field.schema.find("TokenIds") != std::string_view::npos;
    if (!listed) continue;
    EXPECT_TRUE(shown.contains(field.name)) << field.name;
  }
}

}  // namespace
}  // namespace caravel::server
