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

/// One of the few figures that say what the rest is about.
struct Headline {
  std::string label;
  std::string value;
  std::string note;  // may be empty
};

/// One step of a way that is gone in order.
struct Stage {
  std::string name;
  std::string note;
  bool is_reached = false;
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
  void headlines(const std::vector<Headline>& headlines);
  void stages(const std::vector<Stage>& stages);
  /// png: a file's bytes (report/png.h), which go into the page. `alternative`: what it shows, for those who cannot see
  /// it.
  void picture(std::string_view png, std::string_view alternative, std::string_view caption);
  /// Lines as they are, with their numbers; `marked` stands out, 0: none.
  void code(std::string_view text, int marked = 0);
  /// Text as it is, in lines that are broken where they have no room. label: whose it is; may be empty.
  void verbatim(std::string_view label, std::string_view text);

  /// What is added while it lives is folded behind its summary, and shown where one asks for it. Folds may lie in one
  /// another. note: the summary's softer half.
  class Fold {
   public:
    Fold(Page& page, std::string_view summary, std::string_view note = "");
    ~Fold();
    Fold(const Fold&) = delete;
    Fold& operator=(const Fold&) = delete;

   private:
    Page& page_;
  };

  /// Bytes that were added.
  size_t size() const { return body_.size(); }
  std::string html() const;

 private:
  std::string title_;  // escaped, as all that follows
  std::string body_;
  std::vector<std::string> plots_;  // JSON, as page.js reads it
};

}  // namespace caravel::report
