#include "server/openapi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "server/routes.h"

namespace caravel::server {
namespace {

using Json = nlohmann::ordered_json;

std::set<std::string> described() {
  std::set<std::string> all;
  const Json document = openapi_document();
  for (const auto& [path, item] : document["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
      all.insert(upper + " " + path);
    }
  }
  return all;
}

std::set<std::string> routed() {
  std::set<std::string> all;
  for (const Route& route : routes()) all.insert(std::string(route.method) + " " + std::string(route.path));
  return all;
}

TEST(OpenApi, DescribesEveryRouteAndNothingElse) {
  EXPECT_EQ(routed(), described());
  EXPECT_EQ(routes().size(), routed().size()) << "a route is there twice";
}

void collect_references(const Json& json, std::set<std::string>& out) {
  if (json.is_object() && json.contains("$ref")) out.insert(json["$ref"].get<std::string>());
  if (json.is_structured()) {
    for (const Json& child : json) collect_references(child, out);
  }
}

TEST(OpenApi, EveryReferenceResolvesAndEverySchemaIsUsed) {
  const Json document = openapi_document();
  std::set<std::string> references;
  collect_references(document, references);
  std::set<std::string> schemas;
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    schemas.insert("#/components/schemas/" + name);
  }
  EXPECT_EQ(schemas, references);
}

TEST(OpenApi, OperationsHaveNamesOfTheirOwn) {
  const Json document = openapi_document();
  std::set<std::string> ids;
  size_t operations = 0;
  for (const Json& item : document["paths"]) {
    for (const Json& operation : item) {
      ids.insert(operation["operationId"].get<std::string>());
      ++operations;
    }
  }
  EXPECT_EQ(operations, ids.size());
}

TEST(OpenApi, RequiredFieldsAreDescribed) {
  const Json schemas = openapi_schemas();
  for (const auto& [name, schema] : schemas.items()) {
    for (const Json& field : schema.value("required", Json::array())) {
      if (schema.contains("properties")) {
        EXPECT_TRUE(schema["properties"].contains(field.get<std::string>()) ||
                    schema.value("additionalProperties", false))
            << name << "." << field;
      }
    }
  }
}

TEST(Routes, AreFoundByMethodAndPath) {
  EXPECT_EQ(find_route("GET", "/v1/models/org/name"), find_route("HEAD", "/v1/models/x"));
  EXPECT_EQ(nullptr, find_route("GET", "/v1/models/"));
  EXPECT_EQ(nullptr, find_route("GET", "/v1/completions"));
  EXPECT_EQ(nullptr, find_route("POST", "/v1/completions/"));
  EXPECT_EQ("POST, OPTIONS", allowed_methods("/v1/completions"));
  EXPECT_EQ("GET, HEAD, OPTIONS", allowed_methods("/health"));
  EXPECT_EQ("", allowed_methods("/nowhere"));
}

}  // namespace
}  // namespace caravel::server
