#pragma once

#include <string>

#include "server/openai/sections_answer.h"

namespace caravel::server::openai {

/// The answer of /v1/responses.
class ResponseAnswer final : public SectionsAnswer {
 public:
  /// request: the fields that the answer repeats (instructions, temperature, tools and the like).
  ResponseAnswer(bool streams, AnswerHead head, Json request, PartReader reader, std::vector<std::string> stop)
      : SectionsAnswer(streams, std::move(reader), std::move(stop)),
        head_(std::move(head)),
        request_(std::move(request)) {}

  void failed(const ApiError& error, std::string& out) override;

 private:
  void begin(std::string& out) override;
  void open(size_t number, const Section& section, std::string& out) override;
  void grow(size_t number, const Section& section, const std::string& text, std::string& out) override;
  void close(size_t number, const Section& section, std::string& out) override;
  void end(std::string& out) override;
  Json whole() const override;
  std::string make_section_id(parsers::Piece::Kind kind) const override;

  /// Events are numbered.
  void add_numbered(std::string_view type, Json fields, std::string& out);
  Json response(std::string_view status) const;

  AnswerHead head_;
  Json request_;
  int events_ = 0;
};

}  // namespace caravel::server::openai
