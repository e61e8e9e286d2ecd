// Reads requests.table and responses.table: one message (or several) a line, and what becomes of
// it.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "tests/source_dir.h"

namespace apiquota::http {

struct TableRow {
  size_t complete = 0;  // messages before the end or the refusal
  int status = 0;       // 200: nothing is refused
  std::string rule;
  std::string name;
  std::string bytes;
};

// \r \n \t \\ \xHH and {{text*times}}.
inline std::string Unescape(std::string_view text) {
  std::string out;
  std::vector<size_t> repeats;  // where open {{ began in out
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("{{")) {
      repeats.push_back(out.size());
      ++i;
    } else if (text[i] == '*' && !repeats.empty()) {
      const size_t end = text.find("}}", i);
      const std::string unit = out.substr(repeats.back());
      const auto times = ParseDigits(text.substr(i + 1, end - i - 1));
      for (uint64_t n = 1; n < times.value_or(0); ++n) out += unit;
      repeats.pop_back();
      i = end + 1;
    } else if (text[i] != '\\') {
      out.push_back(text[i]);
    } else {
      const char kind = text[++i];
      if (kind == 'x') {
        out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
        i += 2;
      } else {
        out.push_back(kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind == 't' ? '\t' : kind);
      }
    }
  }
  return out;
}

inline std::vector<TableRow> ReadTable(const std::string& file) {
  std::vector<TableRow> rows;
  std::ifstream in(SourceDir() + "/tests/http/" + file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t first = line.find(" | ");
    const size_t second = line.find(" | ", first + 3);
    const std::vector<std::string_view> verdict = Split(std::string_view(line).substr(0, first), ' ');
    rows.push_back({std::stoul(std::string(verdict.at(0))), std::stoi(std::string(verdict.at(1))),
                    std::string(verdict.at(2)), line.substr(first + 3, second - first - 3),
                    Unescape(std::string_view(line).substr(second + 3))});
  }
  EXPECT_FALSE(rows.empty()) << file;
  return rows;
}

}  // namespace apiquota::http
