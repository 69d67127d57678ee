#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/base64.h"
#include "base/check.h"
#include "report/escape.h"
#include "report/page_files.h"
#include "report/plot_data.h"

namespace caravel::report {
namespace {

// The browser itself then asks nobody for anything, whatever the page might say.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'";

std::string_view embedded(std::string_view name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == name) return file.bytes;
  }
  internal::check_failed(__FILE__, __LINE__, "the file is among those that the build embeds", std::string(name));
}

bool is_figure(std::string_view cell) {
  constexpr size_t kLongest = 20;  // characters of a number with its unit
  if (cell.empty() || cell == "–") return true;
  if (cell.front() == '-' || cell.front() == '+') cell.remove_prefix(1);
  return !cell.empty() && cell.size() <= kLongest && std::isdigit(static_cast<unsigned char>(cell.front())) != 0;
}

/// What a cell needs more than a line for.
bool is_long(std::string_view cell) {
  constexpr size_t kLine = 24;
  return cell.size() > kLine || cell.find('\n') != cell.npos;
}

enum class Column : uint8_t { kShort, kFigures, kLong };

std::string_view class_of(Column column) {
  switch (column) {
    case Column::kShort:
      return "";
    case Column::kFigures:
      return " class=\"figure\"";
    case Column::kLong:
      return " class=\"long\"";
  }
  return "";
}

std::vector<Column> columns_of(const Table& table) {
  std::vector<Column> columns;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto all = [&](const auto& holds) {
      return std::ranges::all_of(table.rows, [&](const auto& row) { return i < row.size() && holds(row[i]); });
    };
    if (!table.rows.empty() && all(is_figure)) {
      columns.push_back(Column::kFigures);
    } else {
      columns.push_back(all([](std::string_view cell) { return !is_long(cell); }) ? Column::kShort : Column::kLong);
    }
  }
  return columns;
}

std::string table_html(const Table& table) {
  const std::vector<Column> columns = columns_of(table);
  // On a narrow page a row of several columns with long ones among them becomes a card, and its cells name themselves.
  const bool has_cards = columns.size() > 2 && std::ranges::count(columns, Column::kLong) > 0;
  std::string html = fmt::format(R"(<div class="table{}" tabindex="0" role="region" aria-label="{}"><table>)",
                                 has_cards ? " cards" : "", escape_html(table.title.empty() ? "Table" : table.title));
  if (!table.title.empty()) html += fmt::format("<caption>{}</caption>", escape_html(table.title));
  html += "\n<thead><tr>";
  for (size_t column = 0; column < table.columns.size(); ++column)
    html += fmt::format("<th scope=\"col\"{}>{}</th>", class_of(columns[column]), escape_html(table.columns[column]));
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    CARAVEL_CHECK_EQ(row.size(), table.columns.size());
    html += "<tr>";
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string name =
          has_cards ? fmt::format(" data-name=\"{}\"", escape_html(table.columns[column])) : std::string();
      html += fmt::format("<td{}{}>{}</td>", class_of(columns[column]), name, escape_html(row[column]));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

Page::Page(std::string_view title) : title_(escape_html(title)) {}

void Page::heading(std::string_view text) { body_ += fmt::format("<h2>{}</h2>\n", escape_html(text)); }

void Page::text(std::string_view paragraph) {
  body_ += fmt::format("<p class=\"text\">{}</p>\n", escape_html(paragraph));
}

void Page::table(const Table& table) { body_ += table_html(table); }

void Page::plot(const Plot& plot) {
  const nlohmann::json data = plot_json(plot);
  const bool is_empty = std::ranges::all_of(data["series"], [](const auto& one) { return one["points"].empty(); });
  const std::string title = escape_html(plot.title);
  auto out = std::back_inserter(body_);
  fmt::format_to(out, "<figure><figcaption><h3>{}</h3>", title);
  if (!plot.note.empty()) fmt::format_to(out, "<p>{}</p>", escape_html(plot.note));
  body_ += "</figcaption>\n";
  if (is_empty) {
    body_ += "<p>There is nothing to draw.</p></figure>\n";
    return;
  }
  // page.js shows what needs it, and closes the figures.
  fmt::format_to(out,
                 "<div class=\"keys\"></div>\n"
                 "<div class=\"drawing\" hidden><canvas data-plot=\"{}\" tabindex=\"0\" role=\"img\" aria-label=\"{}: "
                 "arrow keys step through the points\"></canvas></div>\n"
                 "<p class=\"pointed\" aria-live=\"polite\"></p>\n"
                 "<details open><summary>Figures</summary>\n{}",
                 plots_.size(), title, table_html(plot_figures(plot)));
  for (const Marker& marker : plot.markers) {
    const Axis& axis = marker.axis == Marker::Axis::kX ? plot.x : plot.y;
    fmt::format_to(out, "<p>{}: {:g}{}{}</p>\n", escape_html(marker.label), marker.at, axis.unit.empty() ? "" : " ",
                   escape_html(axis.unit));
  }
  body_ += "</details></figure>\n";
  plots_.push_back(script_json(data));
}

void Page::headlines(const std::vector<Headline>& headlines) {
  body_ += "<dl class=\"headlines\">\n";
  for (const Headline& one : headlines) {
    fmt::format_to(std::back_inserter(body_), "<div><dt>{}</dt><dd>{}</dd>", escape_html(one.label),
                   escape_html(one.value));
    if (!one.note.empty()) body_ += "<dd class=\"note\">" + escape_html(one.note) + "</dd>";
    body_ += "</div>\n";
  }
  body_ += "</dl>\n";
}

void Page::stages(const std::vector<Stage>& stages) {
  body_ += "<ol class=\"stages\">\n";
  for (const Stage& stage : stages) {
    fmt::format_to(std::back_inserter(body_), "<li{}><b>{}</b><span class=\"note\">{}</span></li>\n",
                   stage.is_reached ? " class=\"reached\"" : "", escape_html(stage.name), escape_html(stage.note));
  }
  body_ += "</ol>\n";
}

void Page::picture(std::string_view png, std::string_view alternative, std::string_view caption) {
  fmt::format_to(std::back_inserter(body_),
                 "<figure class=\"picture\"><img src=\"data:image/png;base64,{}\" alt=\"{}\">"
                 "<figcaption><p>{}</p></figcaption></figure>\n",
                 base64(png), escape_html(alternative), escape_html(caption));
}

void Page::code(std::string_view text, int marked) {
  std::string numbers;
  std::string lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool is_marked = number == marked;
    fmt::format_to(std::back_inserter(numbers), "{}\n", number);
    lines += (is_marked ? "<mark>" : "") + escape_html(line) + (is_marked ? "</mark>\n" : "\n");
  }
  // A line that is too long is scrolled to; the numbers stay, and are not copied with it.
  fmt::format_to(std::back_inserter(body_),
                 "<div class=\"code\" tabindex=\"0\" role=\"region\" aria-label=\"Code\"><pre class=\"numbers\" "
                 "aria-hidden=\"true\">{}</pre><pre><code>{}</code></pre></div>\n",
                 numbers, lines);
}

void Page::verbatim(std::string_view label, std::string_view text) {
  if (!label.empty()) body_ += "<p class=\"label\">" + escape_html(label) + "</p>";
  // A parser takes the line break behind <pre> away, which then is not the text's.
  body_ += "<pre class=\"verbatim\">\n" + escape_html(text) + "</pre>\n";
}

Page::Fold::Fold(Page& page, std::string_view summary, std::string_view note) : page_(page) {
  fmt::format_to(std::back_inserter(page_.body_), "<details class=\"fold\"><summary>{}", escape_html(summary));
  if (!note.empty()) page_.body_ += " <span class=\"note\">" + escape_html(note) + "</span>";
  page_.body_ += "</summary><div>\n";
}

Page::Fold::~Fold() { page_.body_ += "</div></details>\n"; }

std::string Page::html() const {
  std::string html;
  const auto out = std::back_inserter(html);
  html.reserve(body_.size() + (size_t{1} << 20));
  fmt::format_to(out,
                 "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n</head>\n"
                 "<body>\n<main>\n<h1>{}</h1>\n",
                 kContentSecurityPolicy, title_, embedded("page.css"), title_);
  html += body_;
  html += "</main>\n";
  if (!plots_.empty()) {
    fmt::format_to(out,
                   "<script type=\"application/json\" id=\"plots\">[{}]</script>\n"
                   "<script>{}</script>\n<script type=\"module\">\n{}</script>\n",
                   fmt::join(plots_, ",\n"), embedded("chart.min.js"), embedded("page.js"));
  }
  return html + "</body>\n</html>\n";
}

}  // namespace caravel::report
