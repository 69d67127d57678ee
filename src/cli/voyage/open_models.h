#pragma once

#include <memory>
#include <vector>

#include "caravel/engine.h"
#include "cli/voyage/model_settings.h"
#include "voyager/model.h"

namespace caravel::cli {

/// The models of a run, opened: engines of this process, and endpoints.
class OpenModels {
 public:
  /// Asks endpoints for the names of models that are to be their first, and writes them into `settings`; then loads
  /// engines. flags: how they are reached. Throws Error; Interrupted while it waits for an endpoint.
  OpenModels(ModelSettings& settings, const ModelFlags& flags);

  voyager::Models models() const { return models_; }
  /// Of a prompt, about at most, so that it and an answer fit every model whose context is known; 0: none is.
  int64_t prompt_bytes() const { return prompt_bytes_; }

 private:
  voyager::ChatModel* open_chat(const ModelChoice& choice, const ModelSettings& settings, const ModelFlags& flags);
  void open_embedder(EmbedderChoice& choice, const ModelFlags& flags);

  std::unique_ptr<Engine> engine_;   // that chats
  std::unique_ptr<Engine> encoder_;  // of the embedder's own
  struct Chat {
    ModelChoice choice;
    std::unique_ptr<voyager::ChatModel> model;
  };
  std::vector<Chat> chats_;  // roles of one choice share it
  std::unique_ptr<voyager::Embedder> embedder_;
  voyager::Models models_;
  int64_t prompt_bytes_ = 0;
};

}  // namespace caravel::cli
