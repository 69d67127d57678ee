#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "caravel/request.h"

namespace caravel::cli {

/// The names of what a chat may set of how its answers are drawn: the sampling parameters that the table of fields
/// gives to the terminal, but for those of several answers, of beams and of log-probabilities.
std::vector<std::string> chat_setting_names();

/// "temperature 0.2", "top-p=0.9", "stop ["a", "b"]": sets the parameter; "temperature default": leaves it to the model
/// and the table again. Texts need no quotes. "parameter temperature 0.2", as Ollama has it, is the same. Gives back
/// what holds now, in a few words. Throws InvalidArgument: no parameter of that name, no value, or one that it does not
/// take; `params` is as it was then.
std::string set_chat_parameter(SamplingParams& params, std::string_view assignment);

/// What one of them is and does, and who said it.
std::string chat_setting_text(const SamplingParams& params, const SamplingParams& resolved,
                              const GenerationDefaults& model, const std::string& name);

/// What holds, a line for each parameter that has a value. params: what was given; resolved: the same by
/// resolve_sampling().
std::string chat_settings_text(const SamplingParams& params, const SamplingParams& resolved,
                               const GenerationDefaults& model);

}  // namespace caravel::cli
