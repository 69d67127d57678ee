#include "report/plot_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "base/check.h"

namespace caravel::report {
namespace {

using nlohmann::json;

constexpr size_t kFewPoints = 40;  // so many go into the table one by one

const char* name_of(Plot::Kind kind) {
  switch (kind) {
    case Plot::Kind::kLine:
      return "line";
    case Plot::Kind::kStep:
      return "step";
    case Plot::Kind::kRanking:
      return "ranking";
    case Plot::Kind::kScatter:
      return "scatter";
    case Plot::Kind::kBars:
      return "bars";
    case Plot::Kind::kHistogram:
      return "histogram";
  }
  return "";
}

bool is_drawn(double value, const Axis& axis) { return std::isfinite(value) && !(axis.logarithmic && value <= 0); }

std::string number(double value) {
  if (!std::isfinite(value)) return "";
  const double size = std::abs(value);
  return size >= 1e4 && size < 1e15 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string named(const Axis& axis) {
  return axis.unit.empty() ? axis.label : fmt::format("{} ({})", axis.label, axis.unit);
}

json axis_json(const Axis& axis) {
  json out = {{"label", named(axis)}, {"unit", axis.unit}, {"log", axis.logarithmic}};
  if (axis.low) out["low"] = *axis.low;
  if (axis.high) out["high"] = *axis.high;
  return out;
}

/// The values of a histogram's series that lie on its axis, ascending.
std::vector<double> sorted_values(const Series& series, const Axis& axis) {
  std::vector<double> values;
  for (const double value : series.x) {
    const bool inside = (!axis.low || value >= *axis.low) && (!axis.high || value <= *axis.high);
    if (inside && is_drawn(value, axis)) values.push_back(value);
  }
  std::ranges::sort(values);
  return values;
}

/// bins + 1 edges, of equal distance on the axis, that hold the values of every series; none where there is no value.
std::vector<double> bin_edges(const std::vector<std::vector<double>>& sorted, const Axis& axis, int bins) {
  double low = HUGE_VAL;
  double high = -HUGE_VAL;
  for (const std::vector<double>& values : sorted) {
    if (values.empty()) continue;
    low = std::min(low, values.front());
    high = std::max(high, values.back());
  }
  if (low > high) return {};
  low = axis.low.value_or(low);
  high = axis.high.value_or(high);
  if (low == high) {  // one value: a bin around it
    low -= axis.logarithmic ? low / 2 : std::max(0.5, std::abs(low) / 1e3);
    high += axis.logarithmic ? high : std::max(0.5, std::abs(high) / 1e3);
  }
  std::vector<double> edges;
  for (int i = 0; i <= bins; ++i) {
    const double share = static_cast<double>(i) / bins;
    edges.push_back(axis.logarithmic ? low * std::pow(high / low, share) : std::lerp(low, high, share));
  }
  edges.back() = high;
  return edges;
}

struct Bin {
  double low;
  double high;
  std::vector<int64_t> counts;  // by series
};

/// A histogram's; none where there is no value.
std::vector<Bin> count_values(const Plot& plot) {
  std::vector<std::vector<double>> sorted;
  for (const Series& series : plot.series) sorted.push_back(sorted_values(series, plot.x));
  const std::vector<double> edges = bin_edges(sorted, plot.x, plot.bins);
  std::vector<Bin> bins;
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    Bin bin{.low = edges[i], .high = edges[i + 1], .counts = {}};
    for (const std::vector<double>& values : sorted) {
      const auto from = std::ranges::lower_bound(values, bin.low);
      // The last bin holds its upper edge too.
      const auto to = i + 2 == edges.size() ? values.end() : std::ranges::lower_bound(values, bin.high);
      bin.counts.push_back(to - from);
    }
    bins.push_back(std::move(bin));
  }
  return bins;
}

std::string name_of(const Bin& bin) { return fmt::format("{} to {}", number(bin.low), number(bin.high)); }

void add_histogram(const Plot& plot, json& out) {
  const std::vector<Bin> bins = count_values(plot);
  for (size_t i = 0; i < plot.series.size(); ++i) {
    json points = json::array();
    for (const Bin& bin : bins) {
      const double middle =
          plot.x.logarithmic ? std::sqrt(bin.low) * std::sqrt(bin.high) : std::midpoint(bin.low, bin.high);
      points.push_back({middle, bin.counts[i], name_of(bin)});
    }
    out["series"].push_back({{"name", plot.series[i].name}, {"points", std::move(points)}});
  }
  if (!bins.empty()) {
    out["x"]["low"] = bins.front().low;
    out["x"]["high"] = bins.back().high;
  }
}

double value_at(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
}

std::vector<double> finite_sorted(const std::vector<double>& values) {
  std::vector<double> sorted;
  std::ranges::copy_if(values, std::back_inserter(sorted), [](double value) { return std::isfinite(value); });
  std::ranges::sort(sorted);
  return sorted;
}

/// Least, median and largest value; blanks where there is none.
void add_extent(std::vector<std::string>& row, const std::vector<double>& sorted) {
  for (const double share : {0.0, 0.5, 1.0}) row.push_back(sorted.empty() ? "" : number(value_at(sorted, share)));
}

/// A table with a row for each bar, and a column for each series.
Table bars_table(const Plot& plot) {
  Table table{.title = "", .columns = {named(plot.x)}, .rows = {}};
  for (const Series& series : plot.series) table.columns.push_back(series.name);
  return table;
}

Table bar_figures(const Plot& plot) {
  Table table = bars_table(plot);
  for (size_t i = 0; i < plot.bars.size(); ++i) {
    std::vector<std::string> row = {plot.bars[i]};
    for (const Series& series : plot.series) row.push_back(number(series.y[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table bin_figures(const Plot& plot) {
  Table table = bars_table(plot);
  for (const Bin& bin : count_values(plot)) {
    if (std::ranges::all_of(bin.counts, [](int64_t count) { return count == 0; })) continue;
    table.rows.push_back({name_of(bin)});
    for (const int64_t count : bin.counts) table.rows.back().push_back(std::to_string(count));
  }
  return table;
}

Table point_figures(const Plot& plot) {
  const bool has_labels = std::ranges::any_of(plot.series, [](const Series& one) { return !one.labels.empty(); });
  Table table{.title = "", .columns = {"series", named(plot.x), named(plot.y)}, .rows = {}};
  if (has_labels) table.columns.push_back("point");
  for (const Series& series : plot.series) {
    for (size_t i = 0; i < series.x.size(); ++i) {
      table.rows.push_back({series.name, number(series.x[i]), number(series.y[i])});
      if (has_labels) table.rows.back().push_back(series.labels.empty() ? "" : series.labels[i]);
    }
  }
  return table;
}

Table extent_figures(const Plot& plot) {
  Table table{.title = "", .columns = {"series", "points"}, .rows = {}};
  const auto add_columns = [&table](const Axis& axis) {
    for (const char* which : {"least", "median", "most"}) table.columns.push_back(named(axis) + ", " + which);
  };
  add_columns(plot.x);
  add_columns(plot.y);
  for (const Series& series : plot.series) {
    std::vector<std::string> row = {series.name, std::to_string(series.x.size())};
    add_extent(row, finite_sorted(series.x));
    add_extent(row, finite_sorted(series.y));
    table.rows.push_back(std::move(row));
  }
  return table;
}

void check_plot(const Plot& plot) {
  for (const Axis& axis : {plot.x, plot.y}) CARAVEL_CHECK(!axis.logarithmic || (axis.low.value_or(1) > 0));
  CARAVEL_CHECK_GT(plot.bins, 0);
  for (const Series& series : plot.series) {
    const size_t points = plot.kind == Plot::Kind::kBars ? series.y.size() : series.x.size();
    if (plot.kind == Plot::Kind::kBars) CARAVEL_CHECK_EQ(points, plot.bars.size());
    if (plot.kind != Plot::Kind::kHistogram) CARAVEL_CHECK_EQ(points, series.y.size());
    if (!series.labels.empty()) CARAVEL_CHECK_EQ(series.labels.size(), points);
  }
}

}  // namespace

json plot_json(const Plot& plot) {
  check_plot(plot);
  json out = {{"kind", name_of(plot.kind)}, {"x", axis_json(plot.x)},   {"y", axis_json(plot.y)},
              {"series", json::array()},    {"markers", json::array()}, {"bars", plot.bars}};
  if (plot.names_points) out["named"] = true;
  for (const Marker& marker : plot.markers) {
    const bool on_x = marker.axis == Marker::Axis::kX;
    if (!is_drawn(marker.at, on_x ? plot.x : plot.y)) continue;
    out["markers"].push_back({{"axis", on_x ? "x" : "y"}, {"at", marker.at}, {"label", marker.label}});
  }
  if (plot.kind == Plot::Kind::kHistogram) {
    add_histogram(plot, out);
    return out;
  }
  const bool is_bars = plot.kind == Plot::Kind::kBars;
  for (const Series& series : plot.series) {
    json points = json::array();
    for (size_t i = 0; i < series.y.size(); ++i) {
      const double x = is_bars ? static_cast<double>(i) : series.x[i];
      const bool drawn = is_drawn(series.y[i], plot.y) && (is_bars || is_drawn(x, plot.x));
      if (!drawn) {
        points.push_back(nullptr);
        continue;
      }
      points.push_back({x, series.y[i]});
      if (!series.labels.empty()) points.back().push_back(series.labels[i]);
    }
    if (std::ranges::all_of(points, [](const json& point) { return point.is_null(); })) points.clear();
    out["series"].push_back({{"name", series.name}, {"points", std::move(points)}});
  }
  return out;
}

Table plot_figures(const Plot& plot) {
  check_plot(plot);
  if (plot.kind == Plot::Kind::kBars) return bar_figures(plot);
  if (plot.kind == Plot::Kind::kHistogram) return bin_figures(plot);
  size_t points = 0;
  for (const Series& series : plot.series) points += series.x.size();
  return points > kFewPoints ? extent_figures(plot) : point_figures(plot);
}

}  // namespace caravel::report
