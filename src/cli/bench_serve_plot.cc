#include "cli/bench_serve_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

namespace caravel::cli {
namespace {

constexpr double kWidth = 920;
constexpr double kHeight = 400;
constexpr int kCurvePoints = 200;  // of a cumulative curve
constexpr int kTimeBins = 60;

// Colours that keep their contrast on white and on near-black, and apart for the colour-blind.
constexpr std::string_view kStyle = R"(<style>
  svg { font: 12px system-ui, sans-serif; --ink: #1f2328; --faint: #d0d7de; --page: #ffffff;
        --a: #0969da; --b: #bc4c00; --c: #1a7f37; --d: #8250df; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --faint: #30363d; --page: #0d1117; --a: #58a6ff; --b: #f0883e; --c: #3fb950; --d: #bc8cff; }
  }
  text { fill: var(--ink); } .page { fill: var(--page); } .grid { stroke: var(--faint); }
  .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
</style>
)";
constexpr std::array<std::string_view, 4> kColours = {"var(--a)", "var(--b)", "var(--c)", "var(--d)"};

struct Point {
  double x = 0;
  double y = 0;
};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

/// The least of 1, 2, 5 times a power of ten that is not below `value`.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double decade = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (value <= step * decade) return step * decade;
  }
  return 10 * decade;
}

/// A frame with axes, in which data coordinates become those of the picture.
class Panel {
 public:
  Panel(double left, double width) : left_(left), width_(width) {}

  void set_x(double low, double high, bool logarithmic) {
    x_low_ = low;
    x_high_ = high;
    logarithmic_ = logarithmic;
  }
  void set_y(double high) { y_high_ = high; }

  void title(std::string& svg, std::string_view text) const {
    fmt::format_to(std::back_inserter(svg),
                   R"(<text x="{:.0f}" y="50" font-weight="600">{}</text>)"
                   "\n",
                   left_, text);
  }
  void x_tick(std::string& svg, double value, const std::string& label) const {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)"
                   R"(<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>)"
                   "\n",
                   x(value), kTop, kBottom, kBottom + 18, label);
  }
  void x_label(std::string& svg, std::string_view text) const {
    fmt::format_to(std::back_inserter(svg),
                   R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)"
                   "\n",
                   left_ + width_ / 2, kBottom + 38, text);
  }
  /// The axis from 0 in five steps; on the right side its numbers alone, in the colour of their curve.
  void y_axis(std::string& svg, double high, bool percent, bool right, std::string_view colour) const {
    for (int i = 0; i <= 5; ++i) {
      const double at = kBottom - (kBottom - kTop) * i / 5;
      const double value = high * i / 5;
      const std::string label = percent ? fmt::format("{:.0f} %", 100 * value) : fmt::format("{:g}", value);
      if (!right)
        fmt::format_to(std::back_inserter(svg),
                       R"(<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", left_, at,
                       left_ + width_, at);
      fmt::format_to(std::back_inserter(svg),
                     R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" style="fill:{}">{}</text>)"
                     "\n",
                     right ? left_ + width_ + 8 : left_ - 8, at + 4, right ? "start" : "end", colour, label);
    }
  }
  void curve(std::string& svg, const std::vector<Point>& points, std::string_view colour, bool dashed = false) const {
    if (points.empty()) return;
    fmt::format_to(std::back_inserter(svg), R"(<polyline class="curve" style="stroke:{}"{} points=")", colour,
                   dashed ? R"( stroke-dasharray="6 4")" : "");
    for (const Point& point : points) fmt::format_to(std::back_inserter(svg), "{:.1f},{:.1f} ", x(point.x), y(point.y));
    svg += "\"/>\n";
  }
  void legend(std::string& svg, double offset, std::string_view name, std::string_view colour,
              bool dashed = false) const {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="curve" style="stroke:{}"{} x1="{:.0f}" y1="70" x2="{:.0f}" y2="70"/>)"
                   R"(<text x="{:.0f}" y="74">{}</text>)"
                   "\n",
                   colour, dashed ? R"( stroke-dasharray="6 4")" : "", left_ + offset, left_ + offset + 20,
                   left_ + offset + 26, name);
  }

 private:
  static constexpr double kTop = 90;
  static constexpr double kBottom = 340;

  double x(double value) const {
    const double share =
        logarithmic_ ? std::log(value / x_low_) / std::log(x_high_ / x_low_) : (value - x_low_) / (x_high_ - x_low_);
    return left_ + width_ * std::clamp(share, 0.0, 1.0);
  }
  double y(double value) const { return kBottom - (kBottom - kTop) * value / y_high_; }

  double left_;
  double width_;
  double x_low_ = 0;
  double x_high_ = 1;
  double y_high_ = 1;
  bool logarithmic_ = false;
};

std::string duration_label(double ms) {
  return ms < 1000 ? fmt::format("{:g} ms", ms) : fmt::format("{:g} s", ms / 1000);
}

void draw_latencies(std::string& svg, const LoadReport& report) {
  Panel panel(60, 370);
  panel.title(svg, "Latency: share of samples below");
  double low = HUGE_VAL;
  double high = 0;
  for (const Latencies& latencies : report.latencies) {
    if (latencies.sorted.empty()) continue;
    low = std::min(low, percentile(latencies.sorted, 0.01));
    high = std::max(high, latencies.sorted.back());
  }
  // Whole decades, so that the ticks are round; 0.1 ms is as fine as a socket's clock means anything.
  low = std::pow(10, std::floor(std::log10(std::clamp(low, 0.1, 1e6))));
  high = std::pow(10, std::ceil(std::log10(std::max(high, 10 * low))));
  panel.set_x(low, high, true);
  for (double tick = low; tick <= high * 1.01; tick *= 10) panel.x_tick(svg, tick, duration_label(tick));
  panel.y_axis(svg, 1, true, false, "var(--ink)");
  static constexpr std::array<const char*, 4> kNames = {"first token", "per token", "between", "end to end"};
  for (size_t i = 0; i < report.latencies.size(); ++i) {
    const std::vector<double>& sorted = report.latencies[i].sorted;
    std::vector<Point> points;
    for (int j = 0; j <= kCurvePoints && !sorted.empty(); ++j) {
      const double share = static_cast<double>(j) / kCurvePoints;
      points.push_back({std::max(percentile(sorted, share), low), share});
    }
    panel.curve(svg, points, kColours[i]);
    panel.legend(svg, 95.0 * static_cast<double>(i), kNames[i], kColours[i]);
  }
  panel.x_label(svg, "latency");
}

void draw_time(std::string& svg, const std::vector<RequestRecord>& records) {
  double end = 0;
  for (const RequestRecord& record : records) end = std::max(end, record.ended ? record.end : 0);
  if (end <= 0) return;
  std::vector<double> tokens(kTimeBins);
  std::vector<double> running(kTimeBins);
  const double bin = end / kTimeBins;
  const auto bin_of = [bin](double time) {
    return static_cast<size_t>(std::clamp(time / bin, 0.0, double{kTimeBins - 1}));
  };
  for (const RequestRecord& record : records) {
    if (!record.ended || !record.error.empty() || record.times.empty()) continue;
    // A piece may be several tokens: each counts for its share of the answer.
    const double share = static_cast<double>(record.output_tokens) / static_cast<double>(record.times.size());
    for (const double time : record.times) tokens[bin_of(time)] += share / bin;
    for (size_t i = bin_of(record.start); i <= bin_of(record.end); ++i) {
      const double from = std::max(record.start, static_cast<double>(i) * bin);
      running[i] += std::max(0.0, std::min(record.end, static_cast<double>(i + 1) * bin) - from) / bin;
    }
  }
  const double most_tokens = round_up(*std::ranges::max_element(tokens));
  const double most_running = round_up(*std::ranges::max_element(running));
  Panel panel(530, 320);
  panel.title(svg, "Over time");
  panel.set_x(0, end, false);
  const double step = round_up(end / 6);
  for (double tick = 0; tick <= end; tick += step) panel.x_tick(svg, tick, fmt::format("{:g}", tick));
  panel.x_label(svg, "seconds since the start");
  panel.y_axis(svg, most_tokens, false, false, kColours[0]);
  panel.y_axis(svg, most_running, false, true, kColours[1]);
  std::vector<Point> token_points;
  std::vector<Point> running_points;
  for (int i = 0; i < kTimeBins; ++i) {
    const double middle = (i + 0.5) * bin;
    token_points.push_back({middle, tokens[static_cast<size_t>(i)] / most_tokens});
    running_points.push_back({middle, running[static_cast<size_t>(i)] / most_running});
  }
  panel.curve(svg, token_points, kColours[0]);
  panel.curve(svg, running_points, kColours[1], true);
  panel.legend(svg, 0, "output tokens/s", kColours[0]);
  panel.legend(svg, 150, "requests that run (right)", kColours[1], true);
}

}  // namespace

std::string plot_svg(const LoadReport& report, const std::vector<RequestRecord>& records, const std::string& title) {
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}">)"
      "\n",
      kWidth, kHeight);
  svg += kStyle;
  fmt::format_to(std::back_inserter(svg),
                 R"(<rect class="page" width="100%" height="100%"/><text x="60" y="26" font-size="15">{}</text>)"
                 "\n",
                 escaped(title));
  draw_latencies(svg, report);
  draw_time(svg, records);
  return svg + "</svg>\n";
}

}  // namespace caravel::cli
