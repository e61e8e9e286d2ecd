// Runs one fuzz target over its committed seeds: what the fuzzer once found stays found. An empty input comes
// first.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::cerr << "usage: fuzz_seeds_<target> SEED_DIRECTORY\n";
    return 2;
  }
  RunOne("");
  size_t seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    RunOne(std::string(std::istreambuf_iterator<char>(file), {}));
    ++seeds;
  }
  std::cout << seeds << " seeds replayed\n";
  return seeds > 0 ? 0 : 1;
}
