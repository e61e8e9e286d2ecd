// Does what the script of a run says (session_script.md), step by step, to a world of a descendant's. Not
// thread-safe.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "tests/fuzz/session_script.h"
#include "tests/fuzz/world.h"

namespace apiquota::fuzz {

size_t BufferSize(size_t n);
size_t Pick(std::initializer_list<size_t> values, size_t n);

class Run {
 public:
  explicit Run(std::string_view text) : script_(text) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  virtual ~Run() = default;

  void Do();

 protected:
  virtual void SetOption(char name, size_t n) = 0;
  virtual std::unique_ptr<World> MakeWorld() = 0;
  // Steps that only this world knows: their letters, and what they do.
  virtual std::string_view OwnSteps() const { return {}; }
  virtual void OwnStep(char) {}

  Script& script() { return script_; }

 private:
  bool IsStep(char c) const;
  void Step(char step);
  void ClientStep(char step);
  void UpstreamStep(char step);
  void SendTimes(ClientSide& client, const RequestFragment& fragment, size_t times);
  void Fail();
  void Pass(Micros time);
  char Letter();
  std::string Spend(std::string bytes);

  Script script_;
  size_t upstream_buffer_ = 64 * 1024;
  std::unique_ptr<World> world_;
  size_t said_ = 0;
  Micros passed_{0};
};

}  // namespace apiquota::fuzz
