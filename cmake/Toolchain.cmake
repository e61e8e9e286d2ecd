# How every target is compiled: C++23, the warnings we stand behind, sanitizers, ccache.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Release means what it measures: no debug info, asserts off.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

# Clones share what is compiled: paths under the sources count from there.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "${CCACHE}")
endif()

add_library(apiquota_flags INTERFACE)
target_compile_options(apiquota_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                -Woverloaded-virtual -Wcast-align -Wunused)
if(APIQUOTA_WERROR)
  target_compile_options(apiquota_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang 19 with libstdc++ 12: <expected> needs this macro at its C++23 value, and stable_sort calls what the
  # library itself has deprecated.
  target_compile_options(apiquota_flags INTERFACE -Wno-builtin-macro-redefined -D__cpp_concepts=202002L
                                                  -Wno-deprecated-declarations)
endif()
if(APIQUOTA_SANITIZE)
  add_compile_options(-fsanitize=${APIQUOTA_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${APIQUOTA_SANITIZE})
  # GCC's documentation of -fsanitize: it makes that warning see what is not there (in optional, in GCC 12).
  target_compile_options(apiquota_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(APIQUOTA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "APIQUOTA_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++-19.")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage in the rooms too, not only in the targets
endif()
