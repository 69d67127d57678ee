#pragma once

#include <nlohmann/json.hpp>

#include "report/page.h"

namespace caravel::report {

/// A plot as page.js draws it: series of [x, y] or, with labels, [x, y, label]; null where nothing is drawn. A
/// histogram's values are counted here.
nlohmann::json plot_json(const Plot& plot);

/// What the plot shows, for those who cannot see it: every bar, every point where there are few, else each series'
/// extent.
Table plot_figures(const Plot& plot);

}  // namespace caravel::report
