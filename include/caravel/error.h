#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace caravel {

/// What a user can cause. The message says what happened, with the numbers, and what to do about it, in one line.
/// The command line prints it and exits with 1; a server answers 4xx (5xx for IoError and DeviceLost).
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A value that the caller gave is out of range, contradictory or malformed.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// The same of one field of a request, or the flag of that name; the message begins with it.
class InvalidField : public InvalidArgument {
 public:
  InvalidField(std::string_view name, std::string_view problem)
      : InvalidArgument(std::string(name).append(" ").append(problem)), field(name) {}

  std::string field;
};

/// A file or model name that is not there.
class NotFound : public Error {
 public:
  using Error::Error;
};

/// Bytes that are not what their format promises: truncated, corrupted or hostile.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// Well-formed, but something Caravel does not do (yet); names it.
class Unsupported : public Error {
 public:
  using Error::Error;
};

/// More than the machine or the configured limits hold; the message has both numbers.
class CapacityError : public Error {
 public:
  using Error::Error;
};

/// The device that a model is computed on does nothing any more, whatever it is asked: a fault of a kernel or of the
/// device itself. The process has to be started again.
class DeviceLost : public Error {
 public:
  using Error::Error;
};

/// The operating system refused to read, write or map.
class IoError : public Error {
 public:
  using Error::Error;
};

}  // namespace caravel
