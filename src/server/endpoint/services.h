#pragma once

#include <functional>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "chat/renderer.h"
#include "server/endpoint/admission.h"
#include "server/metrics/recorder.h"
#include "server/serve.h"
#include "server/stall_watch.h"

namespace caravel::server {

/// What the endpoints work with; one for the whole server. Any thread.
struct Services {
  Engine& engine;
  const ServeConfig& config;
  std::vector<std::string> model_names;  // that requests may ask for; the first is the one that is shown
  chat::Renderer renderer;
  metrics::Recorder& recorder;
  StallWatch stall;
  std::function<metrics::HttpFigures()> http_figures;
  std::function<bool()> draining;  // feeds without an end of their own end then
  Admission admission = {};
};

}  // namespace caravel::server
