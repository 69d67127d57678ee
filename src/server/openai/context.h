#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "chat/output_parser.h"
#include "server/metrics/recorder.h"
#include "server/openai/admission.h"
#include "server/openai/deadlines.h"
#include "server/serve.h"

namespace caravel::server::openai {

/// What every endpoint shares; made once, immutable but for what locks by itself. Any thread.
struct Context {
  Engine& engine;
  const ServeConfig& config;
  std::vector<std::string> model_names;     // that requests may ask for; the first is the one that is shown
  const text::ChatTemplate* chat_template;  // nullptr: none
  std::string chat_template_source;         // for tool format and reasoning marks
  chat::ToolFormat tool_format;
  metrics::Recorder& recorder;
  std::unique_ptr<Admission> admission = std::make_unique<Admission>();
  std::unique_ptr<Deadlines> deadlines = std::make_unique<Deadlines>();  // of requests that take too long
};

}  // namespace caravel::server::openai
