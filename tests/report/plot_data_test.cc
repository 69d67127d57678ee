#include "report/plot_data.h"

#include <gmock/gmock.h>

#include <limits>
#include <numeric>

namespace caravel::report {
namespace {

using nlohmann::json;
using Kind = Plot::Kind;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(PlotJson, PointsThatCannotBeDrawnAreGaps) {
  Plot plot{.x = {"", "", true}, .series = {{"a", {1, 0, 2, 3, -1}, {5, 6, kNan, kInf, 7}}, {"b", {0}, {1}}}};
  json out = plot_json(plot);
  EXPECT_EQ(out["series"][0]["points"], json::parse("[[1.0,5.0],null,null,null,null]"));
  EXPECT_EQ(out["series"][1]["points"], json::array()) << "nothing of it can be drawn";
  plot.x.logarithmic = false;
  out = plot_json(plot);
  EXPECT_EQ(out["series"][0]["points"], json::parse("[[1.0,5.0],[0.0,6.0],null,null,[-1.0,7.0]]"));
}

TEST(PlotJson, LabelsGoWithTheirPoints) {
  const json out = plot_json({.kind = Kind::kScatter, .series = {{"a", {1, 2}, {3, 4}, {"one", "two"}}}});
  EXPECT_EQ(out["kind"], "scatter");
  EXPECT_EQ(out["series"][0]["points"], json::parse(R"([[1.0,3.0,"one"],[2.0,4.0,"two"]])"));
}

TEST(PlotJson, BarsAreCounted) {
  const json out = plot_json({.kind = Kind::kBars, .series = {{"a", {}, {3, kNan}}}, .bars = {"one", "two"}});
  EXPECT_EQ(out["bars"], json({"one", "two"}));
  EXPECT_EQ(out["series"][0]["points"], json::parse("[[0.0,3.0],null]"));
}

TEST(PlotJson, AHistogramCountsEveryValueOnce) {
  Plot plot{.kind = Kind::kHistogram, .series = {{"a", {0, 1, 2, 3, 4, 4, kNan}, {}}, {"b", {2}, {}}}, .bins = 4};
  const json out = plot_json(plot);
  EXPECT_EQ(out["x"]["low"], 0);
  EXPECT_EQ(out["x"]["high"], 4);
  std::vector<int> a;
  std::vector<int> b;
  for (const json& point : out["series"][0]["points"]) a.push_back(point[1]);
  for (const json& point : out["series"][1]["points"]) b.push_back(point[1]);
  EXPECT_THAT(a, testing::ElementsAre(1, 1, 1, 3)) << "an edge belongs to the bin above, the last to the last";
  EXPECT_THAT(b, testing::ElementsAre(0, 0, 1, 0)) << "all series share the bins";
  EXPECT_EQ(out["series"][0]["points"][1], json::parse(R"([1.5, 1, "1 to 2"])"));
}

TEST(PlotJson, AHistogramKeepsToItsAxis) {
  Plot plot{.kind = Kind::kHistogram, .series = {{"a", {-1, 0, 0.5, 1, 10, 100, 1000}, {}}}, .bins = 3};
  plot.x = {.logarithmic = true, .low = 1, .high = 1000};
  json out = plot_json(plot);
  std::vector<int> counts;
  for (const json& point : out["series"][0]["points"]) counts.push_back(point[1]);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 4);
  EXPECT_NEAR(out["series"][0]["points"][0][0].get<double>(), std::sqrt(10), 1e-9);
  // One value, and none.
  plot.x = {};
  plot.series = {{"a", {7, 7}, {}}};
  out = plot_json(plot);
  EXPECT_LT(out["x"]["low"], 7);
  EXPECT_GT(out["x"]["high"], 7);
  EXPECT_EQ(out["series"][0]["points"][1][1], 2);
  plot.series = {{"a", {kNan}, {}}};
  EXPECT_TRUE(plot_json(plot)["series"][0]["points"].empty());
}

TEST(PlotFigures, OfAHistogramAreItsBars) {
  const Table table = plot_figures({.kind = Kind::kHistogram,
                                    .x = {"length", "tokens"},
                                    .series = {{"a", {0, 4, 4}, {}}, {"b", {3}, {}}},
                                    .bins = 4});
  EXPECT_THAT(table.columns, testing::ElementsAre("length (tokens)", "a", "b"));
  EXPECT_THAT(table.rows,
              testing::ElementsAre(testing::ElementsAre("0 to 1", "1", "0"), testing::ElementsAre("3 to 4", "2", "1")))
      << "bars of nothing are left out";
}

TEST(PlotJson, ChecksLengths) {
  EXPECT_DEATH(plot_json({.series = {{"a", {1, 2}, {3}}}}), "2 against 1");
  EXPECT_DEATH(plot_json({.series = {{"a", {1}, {3}, {"l", "m"}}}}), "2 against 1");
  EXPECT_DEATH(plot_json({.kind = Kind::kBars, .series = {{"a", {}, {3}}}}), "1 against 0");
}

TEST(PlotFigures, AreEachPointOrTheExtent) {
  Plot plot{.x = {"time", "s"}, .y = {"rate"}, .series = {{"a", {3, 1}, {5, kNan}}}};
  Table table = plot_figures(plot);
  EXPECT_THAT(table.columns, testing::ElementsAre("series", "time (s)", "rate"));
  EXPECT_THAT(table.rows,
              testing::ElementsAre(testing::ElementsAre("a", "3", "5"), testing::ElementsAre("a", "1", "")));
  plot.series[0].x.resize(101);
  std::iota(plot.series[0].x.begin(), plot.series[0].x.end(), 0);
  plot.series[0].y.assign(101, 2.5);
  table = plot_figures(plot);
  EXPECT_THAT(table.rows,
              testing::ElementsAre(testing::ElementsAre("a", "101", "0", "50", "100", "2.5", "2.5", "2.5")));
  EXPECT_EQ(table.columns.size(), 8u);
}

}  // namespace
}  // namespace caravel::report
