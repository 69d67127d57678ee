/// Writes to stdout a report page with every kind of plot and table, and strings that try to break out of it: what
/// report.test.mjs opens and page_test.py reads. Plain ones where an argument is given, for people to look at.
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "report/page.h"
#include "report/png.h"

int main(int argc, char** /*argv*/) {
  using namespace caravel::report;
  using Kind = Plot::Kind;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const bool hostile = argc == 1;
  // A closing tag, a comment that hides one, handlers, both quotes, entities, U+2028, half a character, an address.
  const std::string evil =
      hostile ? "</script><script>window.owned=1</script><!--<script>\"'><img src=\"https://evil.invalid/x.png\" "
                "onerror=\"window.owned=1\">&lt;&amp; \xE2\x80\xA8 \xC3\x28 \xF0\x9F"
              : "";
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::lognormal_distribution<double> skewed(3, 0.9);

  Page page("What a page of figures looks like " + evil);
  page.text("One of each kind. " + evil);
  page.heading("Tables " + evil);
  page.table({"Latencies " + evil,
              {"latency " + evil, "mean", "p99"},
              {{"first token", "12.5 ms", "30.1 ms"}, {"between tokens " + evil, "8.1 ms", "9.9 ms"}}});
  page.table({"", {"score", "instruction"}, {{"0.91", "Name three rivers.\nAnswer in one line. " + evil}}});

  page.heading("Plots");
  Plot lines{.title = "Latency: share of samples below " + evil,
             .note = "Of two servers. " + evil,
             .x = {"latency", "ms", true},
             .y = {"share", "%"}};
  for (const double scale : {1.0, 2.5}) {
    Series series{"server " + std::to_string(lines.series.size()) + evil, {}, {}, {}};
    for (int i = 0; i <= 200; ++i) {
      series.x.push_back(scale * 20 * std::exp(4 * std::pow(i / 200.0, 3)));
      series.y.push_back(i / 2.0);
    }
    lines.series.push_back(series);
  }
  lines.markers = {{Marker::Axis::kX, 500, "bound " + evil}, {Marker::Axis::kY, 90, "p90"}};
  page.plot(lines);

  const std::vector<std::string> names = {"", "first", "most of them " + evil, "none", "few, again", ""};
  page.plot({.title = "Requests that run",
             .kind = Kind::kStep,
             .x = {"time", "s"},
             .y = {"requests"},
             .series = {{"running", {0, 1, 2.5, 4, 5, 6}, {0, 8, 12, kNan, 3, 0}, names}},
             .names_points = true});

  Plot cloud{.title = "Scores of 30,000 examples", .kind = Kind::kScatter, .x = {"zero-shot"}, .y = {"one-shot"}};
  cloud.series = {{"kept", {}, {}, {}}, {"passed over", {}, {}, {}}};
  for (int i = 0; i < 30'000; ++i) {
    const double x = normal(random);
    const double y = 0.8 * x + 0.5 * normal(random);
    Series& series = cloud.series[y > x ? 0 : 1];
    series.x.push_back(x);
    series.y.push_back(y);
    series.labels.push_back("example " + std::to_string(i) + evil);
  }
  page.plot(cloud);

  page.plot({.title = "Kept by kind",
             .kind = Kind::kBars,
             .x = {"kind"},
             .y = {"examples"},
             .series = {{"kept", {}, {120, 340, 55}}, {"passed over", {}, {800, 410, 95}}},
             .bars = {"open question " + evil, "rewriting a text that the prompt gives", "code"}});

  Plot lengths{.title = "Lengths", .kind = Kind::kHistogram, .x = {"length", "tokens", true}, .y = {"examples"}};
  lengths.series = {{"prompts" + evil, {}, {}, {}}, {"answers", {}, {}, {}}};
  for (int i = 0; i < 5000; ++i) {
    lengths.series[0].x.push_back(skewed(random));
    lengths.series[1].x.push_back(3 * skewed(random));
  }
  page.plot(lengths);
  page.plot({.title = "Nothing " + evil, .series = {{"none" + evil, {}, {}}}});

  page.heading("Folds");
  page.headlines(
      {{"items " + evil, "12", "of 60 " + evil}, {"tokens", "1,234,567", ""}, {"time " + evil, "3 min", ""}});
  page.stages(
      {{"wood " + evil, "in the first hour", true}, {"stone", "in the second " + evil, true}, {"iron", "not yet"}});
  std::vector<uint8_t> rgb;
  for (int i = 0; i < 320 * 200 * 3; ++i) rgb.push_back(static_cast<uint8_t>(i / 320 + i % 3 * 60));
  page.picture(png(320, 200, rgb), "stripes " + evil, "A picture. " + evil);
  {
    const Page::Fold outer(page, "A fold " + evil, "and its note " + evil);
    page.code("local wide = \"" + std::string(200, 'x') + "\"\nfail() -- " + evil + "\nlast()\n", 2);
    const Page::Fold inner(page, "One in it");
    page.verbatim("user " + evil, "\nA prompt of " + std::string(300, 'y') + " letters\n" + evil);
  }

  const std::string html = page.html();
  return std::fwrite(html.data(), 1, html.size(), stdout) == html.size() ? 0 : 1;
}
