#!/usr/bin/env python3
"""Each rule of source_rules.py against a small tree that breaks it, and its neighbour that doesn't."""

import unittest

import source_rules
from cpp_text import code_only, functions
from tree import Tree

ROOMS = """apiquota_room(base LIBS fmt::fmt)
apiquota_room(http DEPS base LIBS Boost::headers)
apiquota_room(provider DEPS http base)
apiquota_room(source DEPS provider http base)
apiquota_room(config DEPS source provider http base)
"""
HEADERS = {
    name: "// What it is.\n#pragma once\n"
    for name in (
        "agent/base/a.h",
        "agent/http/a.h",
        "agent/provider/a.h",
        "agent/provider/options.h",
        "agent/source/a.h",
    )
}


def found(rule, files):
    return [str(finding) for finding in rule(Tree(files))]


def house(path, text):
    return {"agent/CMakeLists.txt": ROOMS, **HEADERS, path: text}


class ArrowsTest(unittest.TestCase):
    def arrows(self, path, text):
        return found(source_rules.check_arrows, house(path, text))

    def test_an_include_along_an_arrow_is_fine(self):
        self.assertEqual([], self.arrows("agent/provider/x.cc", '#include "http/a.h"\n#include "base/a.h"\n'))

    def test_an_include_against_the_arrows_is_found(self):
        self.assertEqual(
            ["agent/http/x.cc:2: http must not include provider (agent/CMakeLists.txt has no such arrow)"],
            self.arrows("agent/http/x.cc", '\n#include "provider/a.h"\n'),
        )

    def test_main_may_include_everything(self):
        self.assertEqual([], self.arrows("agent/main.cc", '#include "source/a.h"\n'))

    def test_config_may_include_options_and_nothing_else(self):
        self.assertEqual(
            [], self.arrows("agent/config/x.cc", '#include "provider/options.h"\n#include "base/a.h"\n')
        )
        self.assertEqual(
            ["agent/config/x.cc:1: config may include provider/options.h and nothing else of provider"],
            self.arrows("agent/config/x.cc", '#include "provider/a.h"\n'),
        )

    def test_an_include_without_its_room_is_found(self):
        self.assertEqual(
            ['agent/http/x.cc:1: "a.h" is not in agent/; own headers are included as "room/file.h"'],
            self.arrows("agent/http/x.cc", '#include "a.h"\n'),
        )

    def test_a_folder_that_is_no_room_is_found(self):
        self.assertEqual(
            ["agent/attic/x.cc:1: agent/attic/ is not a room of agent/CMakeLists.txt"],
            self.arrows("agent/attic/x.cc", ""),
        )

    def test_a_circle_of_rooms_is_found(self):
        circle = {"agent/CMakeLists.txt": "apiquota_room(a DEPS b)\napiquota_room(b DEPS a LIBS x)\n"}
        self.assertEqual(2, len(found(source_rules.check_arrows_are_acyclic, circle)))
        self.assertEqual([], found(source_rules.check_arrows_are_acyclic, house("agent/base/x.cc", "")))


class LibrariesTest(unittest.TestCase):
    def libraries(self, path, include):
        return found(source_rules.check_libraries, {path: f"#include <{include}>\n"})

    def test_sockets_belong_to_net(self):
        for include in (
            "boost/asio.hpp",
            "boost/asio/ip/tcp.hpp",
            "boost/beast/core.hpp",
            "sys/epoll.h",
            "sys/socket.h",
            "openssl/ssl.h",
            "curl/curl.h",
            "civetweb.h",
        ):
            self.assertEqual(
                [f"agent/source/x.cc:1: <{include}> belongs to agent/net alone"],
                self.libraries("agent/source/x.cc", include),
            )
            self.assertEqual([], self.libraries("agent/net/x.cc", include))

    def test_http_may_use_the_parser_and_nothing_else_of_beast(self):
        self.assertEqual([], self.libraries("agent/http/x.cc", "boost/beast/http/basic_parser.hpp"))
        self.assertEqual(1, len(self.libraries("agent/http/x.cc", "boost/beast/http/message.hpp")))

    def test_pure_rooms_start_no_thread_and_open_no_file(self):
        self.assertEqual(
            ["agent/quota/x.cc:1: <thread> in quota: it does no I/O and starts no thread"],
            self.libraries("agent/quota/x.cc", "thread"),
        )
        self.assertEqual([], self.libraries("agent/base/x.cc", "thread"))


class BannedCallsTest(unittest.TestCase):
    def banned(self, path, line):
        return found(source_rules.check_banned_calls, {path: line + "\n"})

    def test_each_banned_call_is_found_with_its_replacement(self):
        for line in (
            "auto t = std::chrono::system_clock::now();",
            "steady_clock::now();",
            "x = time(nullptr);",
            "x = std::time(NULL);",
            "gettimeofday(&t, nullptr);",
            "std::regex r;",
            'printf("x");',
            'std::fprintf(stderr, "x");',
            "std::cout << 1;",
            'std::snprintf(b, 1, "x");',
            "strcpy(a, b);",
            "int x = atoi(s);",
            "std::strtol(s, e, 10);",
            "int x = rand();",
            "std::rand();",
            "std::this_thread::sleep_for(s);",
            "usleep(1);",
            "t.detach();",
            "::close(fd);",
            "using namespace std;",
        ):
            with self.subTest(line):
                findings = self.banned("agent/net/x.cc", line)
                self.assertEqual(1, len(findings), findings)
                self.assertRegex(findings[0], r"^agent/net/x\.cc:1: `.+` is banned here; use \S")

    def test_what_only_looks_like_one_is_not(self):
        for line in (
            "std::time_t t;",
            "options.time(0);",
            "fmt::format(x);",
            "// printf is banned",
            'Log("rand()");',
            "Operand(x);",
            "void Resleep(int);",
            "using std::string;",
            "AppendTo(&out); x.puts(1);",
            "lifetime(0);",
        ):
            with self.subTest(line):
                self.assertEqual([], self.banned("agent/net/x.cc", line))

    def test_each_has_its_place(self):
        self.assertEqual([], self.banned("agent/base/clock.cc", "std::chrono::steady_clock::now();"))
        self.assertEqual([], self.banned("agent/base/log.cc", "std::fputs(x, stderr);"))
        self.assertEqual([], self.banned("agent/cli/explain.cc", "std::cout << x;"))
        self.assertEqual([], self.banned("tests/net/x_test.cc", "sleep_for(x);"))

    def test_pure_rooms_hold_no_clock(self):
        self.assertEqual(1, len(self.banned("agent/quota/x.cc", "RealClock().SystemNow();")))
        self.assertEqual([], self.banned("agent/source/x.cc", "RealClock().SystemNow();"))


class SizesTest(unittest.TestCase):
    def sizes(self, path, text):
        return found(source_rules.check_sizes, {path: text})

    def test_a_long_file_is_found(self):
        self.assertEqual([], self.sizes("agent/base/x.cc", "\n" * 300))
        self.assertEqual(
            ["agent/base/x.cc:301: 301 lines; at most 300: cut along its jobs"],
            self.sizes("agent/base/x.cc", "\n" * 301),
        )

    def test_a_long_function_is_found(self):
        def body(lines):
            return "namespace a {\nint F(int x) {\n" + "  x += 1;\n" * (lines - 2) + "}\n}  // namespace a\n"

        self.assertEqual([], self.sizes("agent/base/x.cc", body(60)))
        self.assertEqual(
            ["agent/base/x.cc:2: F has 61 lines; at most 60"], self.sizes("agent/base/x.cc", body(61))
        )

    def test_a_long_python_function_is_found(self):
        self.assertEqual(
            ["tests/x.py:1: f has 61 lines; at most 60"],
            self.sizes("tests/x.py", "def f():\n" + "    pass\n" * 60),
        )

    def test_a_long_line_is_found_by_columns_not_bytes(self):
        self.assertEqual([], self.sizes("agent/base/x.cc", "// " + "≤" * 107 + "\n"))
        self.assertEqual(
            ["agent/base/x.cc:1: 111 columns; at most 110"], self.sizes("agent/base/x.cc", "/" * 111 + "\n")
        )


class SourceTextTest(unittest.TestCase):
    def test_functions_are_found_at_every_level(self):
        text = """namespace a {
class C : public B {
 public:
  explicit C(int x) : x_(x) {}
  int Get() const noexcept {
    const auto local = [] { return '{'; };
    return local();
  }
};
constexpr int kTable[] = {F(1), F(2)};
template <class T>
Result<T> Read(std::string_view s = Default())
    requires true {
  if (s == "}") return R"(
})";
  return {};
}
bool operator==(const C& a, const C& b) { return true; }
TEST(Suite, Name) {
}
}
"""
        self.assertEqual(
            [
                ("C", 4, 4),
                ("Get", 5, 8),
                ("Read", 11, 17),
                ("operator==", 18, 18),
                ("TEST(Suite, Name)", 19, 20),
            ],
            sorted((tuple(f) for f in functions(text)), key=lambda f: f[1]),
        )

    def test_comments_and_literals_are_no_code(self):
        self.assertEqual('f("");     ', code_only('f("x\\"y"); // b'))
        self.assertEqual("\"\"\n\n; 1'000 ''", code_only("R\"x(\")\n\n)x\"; 1'000 'c'"))
        self.assertEqual("a        b", code_only("a /* c */b"))


class HeadersTest(unittest.TestCase):
    def test_a_header_says_what_it_is_and_is_guarded(self):
        self.assertEqual(
            [], found(source_rules.check_headers, {"agent/base/x.h": "// What.\n#pragma once\n"})
        )
        self.assertEqual(
            2, len(found(source_rules.check_headers, {"agent/base/x.h": "#ifndef X\n#define X\n"}))
        )

    def test_leftovers_are_found(self):
        self.assertEqual(1, len(found(source_rules.check_leftovers, {"agent/base/x.cc": "// TODO later\n"})))
        self.assertEqual(
            1, len(found(source_rules.check_leftovers, {"agent/base/x.cc": "f();  // NOLINT\n"}))
        )
        self.assertEqual(
            [], found(source_rules.check_leftovers, {"agent/base/x.cc": "f();  // NOLINT(bugprone-x)\n"})
        )


if __name__ == "__main__":
    unittest.main()
