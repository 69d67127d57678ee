#pragma once

#include <optional>
#include <string>
#include <vector>

namespace caravel::report {

struct Axis {
  std::string label;
  std::string unit;                 // "ms", "%"; empty: a plain number
  bool logarithmic = false;         // values of 0 and less are not drawn
  std::optional<double> low, high;  // the axis' ends; else as the values want
};

/// Points of one colour. A point with a value that is not finite is not drawn, and interrupts its line.
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;            // as long as x; none in a histogram
  std::vector<std::string> labels;  // empty, or what each point is: shown where one points at it
};

/// A line across the plot, such as a threshold.
struct Marker {
  enum class Axis { kX, kY };
  Axis axis = Axis::kX;
  double at = 0;
  std::string label;
};

/// One figure, as plain data.
struct Plot {
  enum class Kind {
    kLine,
    kStep,     // a value holds until the next one
    kRanking,  // x counts from 1, the best first: a value holds from the one before, the first from 0 on
    kScatter,
    kBars,       // `bars` names them; each series' y holds a value for each, and x is empty
    kHistogram,  // counts each series' x
  };
  std::string title;
  std::string note;  // below the title; may be empty
  Kind kind = Kind::kLine;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Marker> markers;
  std::vector<std::string> bars;
  int bins = 40;              // a histogram's, equally wide on its axis
  bool names_points = false;  // labels stand beside their points too, where they are in nobody's way
};

}  // namespace caravel::report
