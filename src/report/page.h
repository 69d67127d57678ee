#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/plot.h"

namespace caravel::report {

struct Table {
  std::string title;  // may be empty
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as columns; cells may be long texts
};

/// One HTML page that needs nothing beside itself: it asks no other host for anything and can be sent, or opened from
/// a disk. Light and dark, for phones too; without JavaScript the tables, and those of each plot's figures, are there.
/// What is added is shown in that order. All strings are plain text, whatever they hold.
///
///   report::Page page("Load on a server");
///   page.table({"", {"latency", "p50"}, {{"first token", "12 ms"}}});
///   page.plot({.title = "Over time", .x = {"time", "s"}, .series = {{"tokens/s", seconds, rates}}});
///   write(path, page.html());
class Page {
 public:
  explicit Page(std::string_view title);

  void heading(std::string_view text);
  void text(std::string_view paragraph);
  void table(const Table& table);
  void plot(const Plot& plot);

  std::string html() const;

 private:
  std::string title_;  // escaped, as all that follows
  std::string body_;
  std::vector<std::string> plots_;  // JSON, as page.js reads it
};

}  // namespace caravel::report
