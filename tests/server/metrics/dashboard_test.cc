#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "base/file.h"
#include "fixtures.h"
#include "server/fake_engine.h"
#include "server/metrics/recorder.h"

namespace caravel::server::metrics {
namespace {

using Json = nlohmann::json;

Json dashboard() { return Json::parse(read_file(tests::source_dir() + "/docs/grafana-dashboard.json")); }

void collect_expressions(const Json& json, std::vector<std::string>& out) {
  if (json.is_object() && json.contains("expr")) out.push_back(json["expr"].get<std::string>());
  if (json.is_structured()) {
    for (const Json& child : json) collect_expressions(child, out);
  }
}

/// The names that `text` has: "caravel:..." and "process_...".
std::set<std::string> metric_names(const std::string& text) {
  static const std::regex kName("(caravel:|process_)[a-z0-9_]+");
  return {std::sregex_token_iterator(text.begin(), text.end(), kName), {}};
}

TEST(GrafanaDashboard, AsksForNothingThatIsNotExposed) {
  FakeEngine engine;
  const auto recorder = Recorder::make(engine, "tiny", false);
  recorder->answered("/v1/completions", 200, 0.1);
  const auto record = recorder->arrived("/v1/completions");
  record->finished(FinishReason::kStop, {});
  const std::set<std::string> exposed = metric_names(recorder->exposition());
  std::vector<std::string> expressions;
  collect_expressions(dashboard(), expressions);
  ASSERT_GT(expressions.size(), 15U);
  for (const std::string& expression : expressions) {
    for (const std::string& name : metric_names(expression)) {
      EXPECT_TRUE(exposed.contains(name)) << name << " in " << expression;
    }
  }
}

TEST(GrafanaDashboard, PanelsAreApartAndAskTheChosenDatasource) {
  const Json json = dashboard();
  EXPECT_EQ("datasource", json["templating"]["list"][0]["type"]);
  std::set<int> ids;
  std::set<std::pair<int, int>> cells;
  size_t area = 0;
  for (const Json& panel : json["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second);
    const Json& place = panel["gridPos"];
    for (int x = place["x"]; x < place["x"].get<int>() + place["w"].get<int>(); ++x) {
      for (int y = place["y"]; y < place["y"].get<int>() + place["h"].get<int>(); ++y) {
        cells.insert({x, y});
        ++area;
        EXPECT_LT(x, 24);
      }
    }
    if (panel["type"] != "row") {
      EXPECT_EQ("${datasource}", panel["datasource"]["uid"]) << panel["title"];
    }
  }
  EXPECT_EQ(area, cells.size()) << "panels overlap";
}

}  // namespace
}  // namespace caravel::server::metrics
